"""/templates: texts under a key, written as drafts and published."""

import re
from typing import Any, Literal

from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from project.foundation import bodies, pages
from project.foundation.problems import Fault, NotFound
from project.foundation.views import ApiView
from templates_app import drafts, publishing
from templates_app.api import later
from templates_app.api.schemas import ContentBody, TemplateAnswer, TemplateBody, TemplatePage, TemplateSummary
from templates_app.models import Template, TemplateVersion

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ONE = bodies.openapi_schema(TemplateAnswer)


class Templates(ApiView):
    required_scopes = {"templates"}

    @extend_schema(
        operation_id="list_templates",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: bodies.openapi_schema(TemplatePage)},
    )
    def get(self, request: Request) -> Response:
        """List templates, newest first."""
        rows, following = pages.page(_with_drafts(), request, key="-pk")
        return Response(TemplatePage([TemplateSummary(**_summary(row)) for row in rows], following))


class OneTemplate(ApiView):
    required_scopes = {"templates"}

    @extend_schema(operation_id="get_template", responses={200: _ONE})
    def get(self, request: Request, key: str) -> Response:
        """Return one template with its draft's contents, or those published when there is no draft."""
        return Response(answer(find(key)))

    @extend_schema(operation_id="put_template", request=bodies.openapi(TemplateBody), responses={200: _ONE, 201: _ONE})
    def put(self, request: Request, key: str) -> Response:
        """Write a template's draft: it replaces the draft there is, and leaves what is published as it is."""
        auth: Any = request.auth
        value = bodies.data(request)
        found = later.without_variants(value)
        if not _KEY.fullmatch(key) or key == "preview":
            message = 'A template\'s key has 1 to 100 letters, digits, "-" and "_", and is not "preview".'
            found.append(Fault("/key", "invalid_key", message))
        body = later.check(value, TemplateBody, later=("layout",), found=found)
        contents = [
            drafts.ContentDraft(content.channel, content.locale, content.parts) for content in body.contents or []
        ]
        _, created = drafts.save(key, name=body.name, contents=contents, actor=auth.actor)
        return Response(answer(find(key)), status=201 if created else 200)


class Publication(ApiView):
    required_scopes = {"templates"}

    @extend_schema(operation_id="publish_template", request=None, responses={200: _ONE})
    def post(self, request: Request, key: str) -> Response:
        """Publish the draft: it becomes a version that never changes, and the next send uses it."""
        auth: Any = request.auth
        publishing.publish(find(key), actor=auth.actor)
        return Response(answer(find(key)))


def find(key: str) -> Template:
    """Return a template by key. Raises NotFound."""
    template = _with_drafts().filter(key=key).first() if _KEY.fullmatch(key) else None
    if template is None:
        raise NotFound("There is no such template.")
    return template


def answer(template: Any) -> TemplateAnswer:
    """Return a template as the API shows it. Two queries."""
    newest = template.versions.prefetch_related("contents").order_by("-number").first()
    status: Literal["draft", "published"] | None = None
    if newest is not None:
        status = "published" if newest.published_at else "draft"
    return TemplateAnswer(
        **_summary(template),
        version=newest.number if newest else None,
        status=status,
        published_at=template.published.published_at if template.published else None,
        contents=[
            ContentBody(content.channel, content.locale, content.parts)
            for content in (newest.contents.all() if newest else [])
        ],
    )


def _with_drafts() -> QuerySet[Template]:
    draft = TemplateVersion.objects.filter(template=OuterRef("pk"), published_at=None).values("number")
    return Template.objects.select_related("published").annotate(draft_version=Subquery(draft))


def _summary(template: Any) -> dict[str, Any]:
    return {
        "key": template.key,
        "name": template.name,
        "published_version": template.published.number if template.published else None,
        "draft_version": template.draft_version,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }
