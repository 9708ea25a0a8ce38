"""From draft to published: every fault first, then one version that never changes again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from preferences.channels import CHANNELS
from preferences.models import Category
from project.foundation import audit, clock
from project.foundation.problems import Conflict, Fault, InvalidRequest
from templates_app import compiling, liquid, marketing, rendering, samples
from templates_app.liquid import RenderError
from templates_app.models import Content, Template, TemplateVersion


@dataclass(frozen=True)
class ContentFault:
    """What is wrong with one part of one content, in words for its author."""

    channel: str
    locale: str
    part: str
    line: int | None
    code: str  # "invalid_template", "missing_variable" or "required"
    message: str


def publish(template: Template, *, actor: str) -> TemplateVersion:
    """Publish a template's draft and return it; the next send uses it.

    Raises Conflict without a draft, InvalidRequest with every fault: pointers go into `contents` as GET shows them.
    """
    with transaction.atomic():
        template = Template.objects.select_for_update().get(pk=template.pk)
        draft = template.versions.filter(published_at=None).first()
        if draft is None:
            raise Conflict("There is no draft to publish.")
        contents = list(draft.contents.all())
        if found := faults(template, contents):
            raise InvalidRequest(errors=[_as_problem(fault, contents) for fault in found])
        for content in contents:
            content.compiled = compiling.compile_parts(content.channel, content.locale, content.parts)
        Content.objects.bulk_update(contents, ["compiled"])
        draft.published_at = clock.now()
        draft.published_by = actor
        draft.save(update_fields=["published_at", "published_by", "updated_at"])
        template.published = draft
        template.save(update_fields=["published", "updated_at"])
        audit.record(actor, "template.published", f"template:{template.key}", version=draft.number)
    return draft


def faults(template: Template, contents: Sequence[Content]) -> list[ContentFault]:
    """Return all that keeps `contents` from being published: each is rendered with every sample of its types."""
    if not contents:
        return [ContentFault("", "", "", None, "required", "There is nothing to say yet: add a channel.")]
    given = [samples.variables(variables, type_) for type_, variables in samples.of_template(template)]
    found = [fault for content in contents for fault in content_faults(content, given)]
    if not found and template.types.filter(category__kind=Category.Kind.MARKETING).exists():
        return [fault for content in contents if content.channel == "email" for fault in _of_marketing(content)]
    return found


def _of_marketing(content: Content) -> Iterator[ContentFault]:
    compiled = compiling.compile_parts(content.channel, content.locale, content.parts)
    for part, message in marketing.missing(compiled):
        yield ContentFault(content.channel, content.locale, part, None, "required", message)


def content_faults(content: Content, given: Sequence[Mapping[str, Any]]) -> Iterator[ContentFault]:
    """Yield all that is wrong with one content, saved or not, when it is rendered with each of `given`."""
    found: dict[tuple[str, int | None, str], ContentFault] = {}
    for part, message in _missing_parts(content):
        yield ContentFault(content.channel, content.locale, part, None, "required", message)
    # In the channel's order: PostgreSQL's jsonb keeps none of its own.
    for part in CHANNELS[content.channel].parts:
        for error in _of_part(part, content.parts.get(part, ""), content, given):
            code = "missing_variable" if error.variable else "invalid_template"
            fault = ContentFault(content.channel, content.locale, part, error.line, code, error.message)
            found.setdefault((part, error.line, error.message), fault)
    if not found:
        for error in _of_whole(content, given):
            fault = ContentFault(
                content.channel, content.locale, error.part, error.line, "invalid_template", error.message
            )
            found.setdefault((error.part, error.line, error.message), fault)
    yield from found.values()


def _missing_parts(content: Content) -> Iterator[tuple[str, str]]:
    said = {part for part, source in content.parts.items() if source.strip()}
    first, *_ = CHANNELS[content.channel].parts
    if first not in said:
        yield first, f"{CHANNELS[content.channel].name} needs a {first}."
    if content.channel == "email" and not said & {"html", "text"}:
        yield "html", "An e-mail needs a text, as HTML or plain."


def _of_part(part: str, source: str, content: Content, given: Sequence[Mapping[str, Any]]) -> Iterator[RenderError]:
    """Yield the faults of one part as its author wrote it, so that lines are the author's."""
    try:
        # Without samples nobody knows which variables will come: what can be missed is not held against the author.
        parsed = liquid.parse(source, escape=liquid.escape_of(part), strict=bool(given))
    except RenderError as error:
        yield error
        return
    reader = rendering.reader_of(content.locale, settings.TIME_ZONE, content.locale)
    for variables in given or [samples.variables({})]:
        try:
            parsed.render(rendering.seen_by_authors(variables), reader)
        except RenderError as error:
            yield error


def _of_whole(content: Content, given: Sequence[Mapping[str, Any]]) -> Iterator[RenderError]:
    """Yield what shows only in the compiled message: lost tags, JSON that is none, links that are unsafe."""
    try:
        contents = rendering.of_drafts([(content.channel, content.locale, content.parts)])
        for variables in given:
            rendering.render(contents, channel=content.channel, locale=content.locale, timezone="", variables=variables)
    except RenderError as error:
        yield error


def _as_problem(fault: ContentFault, contents: Sequence[Content]) -> Fault:
    if not fault.channel:
        return Fault("/contents", fault.code, fault.message)
    places = [(content.channel, content.locale) for content in contents]
    index = places.index((fault.channel, fault.locale))
    place = f"Line {fault.line}: " if fault.line else ""
    return Fault(f"/contents/{index}/parts/{fault.part}", fault.code, place + fault.message)
