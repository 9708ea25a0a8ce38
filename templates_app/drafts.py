"""Writing a template's draft. A draft may be wrong; publishing.py is where it must be right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from preferences import profiles
from preferences.channels import CHANNELS
from project.foundation import audit
from project.foundation.problems import Fault, InvalidRequest
from templates_app.liquid_source import MAX_SOURCE
from templates_app.models import Content, Template, TemplateVersion

MAX_CONTENTS = 200


@dataclass(frozen=True)
class ContentDraft:
    """What is to be said on one channel in one locale."""

    channel: str
    locale: str
    parts: Mapping[str, str]


def save(
    key: str, *, contents: Sequence[ContentDraft], actor: str, name: str | None = None
) -> tuple[TemplateVersion, bool]:
    """Write the draft of a template, made if it is new; return the draft and whether the template is new.

    What was in the draft is replaced; published versions stay as they are. Raises InvalidRequest with every fault.
    """
    if found := list(_faults(contents)):
        raise InvalidRequest(errors=found)
    with transaction.atomic():
        template, created = Template.objects.select_for_update().get_or_create(key=key, defaults={"name": name or key})
        if name and template.name != name:
            template.name = name
        template.save()  # updated_at, too
        draft = _draft_of(template)
        draft.author = actor
        draft.save()
        draft.contents.all().delete()
        Content.objects.bulk_create(
            Content(
                version=draft,
                channel=content.channel,
                locale=profiles.locale(content.locale),
                parts={part: source for part, source in content.parts.items() if source},
            )
            for content in contents
        )
        audit.record(actor, "template.drafted", f"template:{key}", version=draft.number)
    return draft, created


def _draft_of(template: Template) -> TemplateVersion:
    """Return the one draft of a template that is locked."""
    newest = template.versions.order_by("-number").first()
    if newest is not None and newest.published_at is None:
        return newest
    return TemplateVersion(template=template, number=newest.number + 1 if newest else 1)


def _faults(contents: Sequence[ContentDraft]) -> Iterator[Fault]:
    if len(contents) > MAX_CONTENTS:
        yield Fault("/contents", "too_long", f"A version has at most {MAX_CONTENTS} contents.")
    seen: set[tuple[str, str]] = set()
    for index, content in enumerate(contents):
        pointer = f"/contents/{index}"
        yield from _faults_of_locale(content, pointer, seen)
        channel = CHANNELS.get(content.channel)
        if channel is None:
            message = f"There is no such channel. It must be one of {', '.join(CHANNELS)}."
            yield Fault(f"{pointer}/channel", "unknown_channel", message)
            continue
        for part, source in content.parts.items():
            if part not in channel.parts:
                message = f"{channel.name} has the parts {', '.join(channel.parts)}."
                yield Fault(f"{pointer}/parts/{part}", "unknown_field", message)
            elif len(source) > MAX_SOURCE:
                yield Fault(f"{pointer}/parts/{part}", "too_long", f"It may have {MAX_SOURCE} characters.")


def _faults_of_locale(content: ContentDraft, pointer: str, seen: set[tuple[str, str]]) -> Iterator[Fault]:
    try:
        locale = profiles.locale(content.locale)
    except profiles.Invalid as error:
        yield Fault(f"{pointer}/locale", error.code, str(error))
        return
    if not locale:
        yield Fault(f"{pointer}/locale", "required", "A content has a locale.")
    elif (content.channel, locale) in seen:
        yield Fault(pointer, "duplicate", "There is already a content for this channel and locale.")
    seen.add((content.channel, locale))
