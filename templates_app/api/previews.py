"""What a text will look like, by the renderer that sends."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from preferences import loading, profiles
from preferences.models import User
from project.foundation import bodies, faults
from project.foundation.problems import Conflict, Fault, Forbidden, InvalidRequest, NotFound
from project.foundation.views import ApiView
from templates_app import liquid, rendering, samples
from templates_app.api.schemas import PreviewAnswer, PreviewBody, SourceAnswer, SourceBody
from templates_app.api.templates import find
from templates_app.liquid import Escape, RenderError
from templates_app.models import Template, TemplateVersion
from templates_app.variables import user_variables

_ESCAPES = {"email": Escape.HTML, "webhook": Escape.JSON}


class CannotRender(InvalidRequest):
    """The text is at fault: `line` and `message` stand in the answer beside `errors`."""

    code, title = "cannot_render", "The text cannot be rendered."

    def __init__(self, error: RenderError, pointer: str) -> None:
        code = "missing_variable" if error.variable else "invalid_template"
        super().__init__(str(error), errors=[Fault(pointer, code, faults.printable(error.message))])
        self.extensions = {"line": error.line, "message": faults.printable(error.message)}


class SourcePreview(ApiView):
    required_scopes = {"templates"}

    @extend_schema(
        operation_id="preview_source",
        request=bodies.openapi(SourceBody),
        responses={200: bodies.openapi_schema(SourceAnswer)},
    )
    def post(self, request: Request) -> Response:
        """Render a text that is stored nowhere."""
        body = bodies.read(request, SourceBody)
        escape = _ESCAPES.get(body.channel or "", Escape.TEXT)
        try:
            parsed = liquid.parse(
                body.source, escape=escape, strict=body.strict is not False, partials=body.templates or {}
            )
            output = parsed.render(body.variables or {}, rendering.reader_of("", "", ""))
        except RenderError as error:
            raise CannotRender(error, "/source") from error
        return Response(SourceAnswer(output))


class TemplatePreview(ApiView):
    required_scopes = {"templates"}

    @extend_schema(
        operation_id="preview_template",
        request=bodies.openapi(PreviewBody),
        responses={200: bodies.openapi_schema(PreviewAnswer)},
    )
    def post(self, request: Request, key: str) -> Response:
        """Render one channel of a stored template for a sample person or a real one.

        A real one's name, address and attributes can be read from it: that needs the scope users as well.
        """
        template = find(key)
        body = bodies.read(request, PreviewBody)
        if body.user_id is not None and "users" not in getattr(request.auth, "scopes", ()):
            raise Forbidden("A preview for a real person needs the scope users.")
        version = _version(template, body.version)
        person = _person(body.user_id)
        locale = _locale(body.locale) or (person.locale if person else "")
        type_, sample = next(iter(samples.of_template(template)), (None, {}))
        given: Mapping[str, Any] = sample if body.variables is None else body.variables
        user = user_variables(person) if person else None
        try:
            contents = rendering.version_contents(version.pk)
            rendered = rendering.render(
                contents,
                channel=body.channel,
                locale=locale,
                timezone=person.timezone if person else "",
                variables=samples.variables(given, type_, user),
                data=given,
            )
        except RenderError as error:
            raise CannotRender(error, f"/parts/{error.part}") from error
        return Response(PreviewAnswer(body.channel, rendered.locale, version.number, dict(rendered.parts)))


def _version(template: Template, number: int | None) -> TemplateVersion:
    versions = template.versions.order_by("-number")
    if number is None:
        newest = versions.first()
        if newest is None:
            raise Conflict("This template has no version yet.")
        return newest
    version = versions.filter(number=number).first() if 0 < number < 2**31 else None
    if version is None:
        raise NotFound("There is no such version.")
    return version


def _person(user_id: str | None) -> Any:
    if user_id is None:
        return None
    user = User.objects.filter(user_id=user_id, erased_at=None).first()
    if user is None:
        raise InvalidRequest(errors=[Fault("/user_id", "unknown_user", "There is no such user.")])
    return loading.load_person(user.pk)


def _locale(text: str | None) -> str:
    try:
        return profiles.locale(text)
    except profiles.Invalid as error:
        raise InvalidRequest(errors=[Fault("/locale", error.code, str(error))]) from error
