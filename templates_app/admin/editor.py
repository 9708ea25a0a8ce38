"""What the editor's page asks for: a preview, a saved draft, a publication. Each answers in JSON."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeAlias

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from msgspec import Meta, Struct

from preferences.admin.base import who
from preferences.channels import CHANNELS
from project.foundation import bodies
from project.foundation.problems import Problem
from templates_app import drafts, publishing, rendering, samples, sms
from templates_app.liquid import RenderError
from templates_app.models import Content, Template, TemplateVersion, Type

Act: TypeAlias = Callable[[HttpRequest, Template, str], dict[str, Any]]

_LABELS = {
    "subject": ("Subject", ""),
    "html": ("HTML", "Our frame is laid around it: logo, why people get it, notification settings, unsubscribe."),
    "text": ("Text", ""),
    "title": ("Title", ""),
    "body": ("Body", ""),
    "link": ("Link", "Where a tap leads."),
    "actions": ("Buttons", 'JSON: [{"label": "Track it", "url": "{{ link }}", "primary": true}]'),
    "json": ("JSON", "What the other service receives. {{ name | json }} writes a whole value."),
    "script": ("Script", "What is read aloud."),
}


class _Content(Struct, forbid_unknown_fields=True):
    channel: str
    locale: str
    parts: dict[str, str]


class _PreviewBody(_Content, forbid_unknown_fields=True):
    variables: dict[str, Any]
    type: str | None = None


class _DraftBody(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    contents: list[_Content]


class Refused(Exception):
    """The draft was kept, and cannot be published: `faults` says why."""

    def __init__(self, faults: list[publishing.ContentFault], draft: dict[str, Any]) -> None:
        super().__init__()
        self.answer = {**draft, "faults": [asdict(fault) for fault in faults]}


def answer(act: Act, request: HttpRequest, template: Template, actor: str) -> JsonResponse:
    """Do one act and answer in JSON, whatever comes of it."""
    try:
        return JsonResponse(act(request, template, actor))
    except Refused as refused:
        return JsonResponse(refused.answer, status=422)
    except Problem as problem:
        errors = [asdict(fault) for fault in problem.errors]
        return JsonResponse({"message": problem.detail or problem.title, "errors": errors}, status=problem.status)


def preview(request: HttpRequest, template: Template, actor: str) -> dict[str, Any]:
    """Render one content as it stands in the page, with sample variables: {"parts", "faults", "size"}."""
    body = bodies.read(request, _PreviewBody)
    channel = CHANNELS.get(body.channel)
    if channel is None:
        return {"parts": {}, "faults": []}
    given = samples.variables(body.variables, _type(template, body.type))
    parts = {part: source for part, source in body.parts.items() if part in channel.parts and source}
    content = Content(channel=body.channel, locale=body.locale, parts=parts)
    faults = list(publishing.content_faults(content, [given]))
    shown: dict[str, str] = {}
    if all(fault.code == "required" for fault in faults):
        try:
            shown = _rendered(content, given)
        except RenderError as error:
            code = "invalid_template"
            faults.append(
                publishing.ContentFault(body.channel, body.locale, error.part, error.line, code, error.message)
            )
    result: dict[str, Any] = {"parts": shown, "faults": [asdict(fault) for fault in faults]}
    if body.channel == "sms" and "text" in shown:
        result["size"] = asdict(sms.size(shown["text"]))
    return result


def save_draft(request: HttpRequest, template: Template, actor: str) -> dict[str, Any]:
    """Keep what stands in the page as the draft: {"version", "faults"}."""
    body = bodies.read(request, _DraftBody)
    contents = [drafts.ContentDraft(content.channel, content.locale, content.parts) for content in body.contents]
    draft, _ = drafts.save(template.key, name=body.name, contents=contents, actor=actor)
    return {"version": draft.number, "published": False, "faults": []}


def publish(request: HttpRequest, template: Template, actor: str) -> dict[str, Any]:
    """Keep what stands in the page, then publish it, or raise Refused: the work is kept either way."""
    kept = save_draft(request, template, actor)
    draft = template.versions.get(number=kept["version"])
    if faults := publishing.faults(template, list(draft.contents.all())):
        raise Refused(faults, kept)
    version = publishing.publish(template, actor=actor)
    return {"version": version.number, "published": True, "faults": []}


def version_to_show(template: Template, number: str) -> TemplateVersion | None:
    """Return the version named, else the draft, else what is published, else None. Raises Http404."""
    if not number:
        return template.versions.order_by("-number").first()
    asked = int(number) if number.isdecimal() and number.isascii() and len(number) < 10 else 0
    version = template.versions.filter(number=asked).first()
    if version is None:
        raise Http404
    return version


def context(
    template: Template, version: TemplateVersion | None, *, may_write: bool, may_publish: bool
) -> dict[str, Any]:
    """Return what the page shows."""
    versions = list(template.versions.order_by("-number"))
    is_newest = version is None or version == versions[0]
    is_draft = version is None or version.published_at is None
    return {
        "template": template,
        "version": version,
        "versions": [(row, who(row.published_by or row.author)) for row in versions],
        "is_draft": is_draft,
        "is_newest": is_newest,
        "may_write": may_write,
        "may_publish": may_publish,
        "types": list(template.types.all()),
        "editor": {
            "channels": [
                {
                    "key": channel.key,
                    "name": channel.name,
                    "parts": [_part(channel.key, part) for part in channel.parts],
                }
                for channel in CHANNELS.values()
            ],
            "contents": [
                {"channel": content.channel, "locale": content.locale, "parts": content.parts}
                for content in (version.contents.all() if version else [])
            ],
            "samples": _samples(template),
            "locale": settings.LANGUAGE_CODE,
            "writable": may_write and is_newest,
            "restores": may_write and not is_newest,
            "draft": version is not None and is_draft,
        },
    }


def _part(channel: str, part: str) -> dict[str, str]:
    label, hint = _LABELS[part]
    if (channel, part) == ("email", "text"):
        label, hint = "Plain text", "For mail programs without HTML. Left empty, it is made from the HTML."
    return {"key": part, "label": label, "hint": hint}


def _samples(template: Template) -> list[dict[str, Any]]:
    found = samples.of_template(template)
    named: list[dict[str, Any]] = []
    for type_, variables in found:
        number = sum(sample["type"] == type_.key for sample in named) + 1 if type_ else 1
        name = f"{type_.name if type_ else 'Sample'} · example {number}"
        named.append({"name": name, "type": type_.key if type_ else None, "variables": variables})
    return named or [{"name": "No sample data", "type": None, "variables": {}}]


def _type(template: Template, key: str | None) -> Type | None:
    return template.types.select_related("category").filter(key=key).first() if key else None


def _rendered(content: Content, given: dict[str, Any]) -> dict[str, str]:
    contents = rendering.of_drafts([(content.channel, content.locale, content.parts)])
    rendered = rendering.render(contents, channel=content.channel, locale=content.locale, timezone="", variables=given)
    return dict(rendered.parts)
