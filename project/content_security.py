"""The Content-Security-Policy header: strict everywhere, looser under the paths that settings name."""

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class ContentSecurityMiddleware(CSPMiddleware):
    """A view's own decorators (csp_update, csp_replace) win over the path's directives."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only:
            for prefix, directives in settings.CONTENT_SECURITY_POLICY_BY_PATH.items():
                if request.path_info.startswith(prefix):
                    parts.replace = {**directives, **(parts.replace or {})}
        return parts
