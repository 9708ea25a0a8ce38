"""Everything about a person as a file: for whoever holds a link to it, and for the person who has signed in.

The settings link that stands in every mail opens neither: mails are passed on.
"""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from preferences import export, export_links
from preferences.models import User
from project.foundation import audit, clock, downloads
from project.foundation.client_ip import client_ip

Answer = HttpResponse | StreamingHttpResponse


@never_cache
@require_safe
def by_link(request: HttpRequest, token: str) -> Answer:
    """Answer with the file that a link leads to."""
    found = export_links.owner(token)
    if found is None:
        gone = render(request, "preferences/export_over.html", status=410)
        gone["Referrer-Policy"] = "no-referrer"
        return gone
    user, id = found
    return download(request, user, actor=f"link:{id}")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> Answer:
    """Answer with everything about whoever is signed in. Who comes back from signing in finds the button again."""
    if request.method != "POST" or not isinstance(request.user, User):
        return redirect("settings_page")
    return download(request, request.user, actor=f"user:{request.user.pk}")


def download(request: HttpRequest, user: User, *, actor: str) -> StreamingHttpResponse:
    """Answer with everything about a person. The audit trail has the line before the first byte leaves."""
    if request.method != "HEAD":
        audit.record(actor, "user.exported", f"user:{user.pk}", ip=client_ip(request))
    name = f"carillon-{clock.now():%Y-%m-%d}.json"
    return downloads.attachment(
        request, export.document(user.pk), filename=name, content_type="application/json; charset=utf-8"
    )
