"""One message for one person: a version's contents, or the standard words, on one channel."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from django.conf import settings

from templates_app import compiling, locales, standard
from templates_app.links import is_safe
from templates_app.liquid import Reader, RenderError
from templates_app.liquid_parts import Parts, Told
from templates_app.models import Content, TemplateVersion

__all__ = ["Occasion", "RenderError", "Rendered", "VersionContents", "render", "render_standard", "version_contents"]

# One line each: a line break in a subject would start a mail header of the author's choice.
_SINGLE_LINE = frozenset({"subject", "title", "link"})
_LINE_BREAKS = re.compile(r"[\x00-\x20\x7f\x85\u2028\u2029]+")
_GAPS = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")
_MAX_ACTIONS = 5
_MAY_BE_EMPTY = ("title", "body", "link", "unsubscribe_url", "settings_url", "postal_address")


@dataclass(frozen=True)
class Rendered:
    """What one person gets on one channel."""

    parts: Mapping[str, str]
    locale: str  # of the content that was chosen


class ChannelContent:
    """The parts of one channel in one locale, ready for many people."""

    def __init__(self, channel: str, locale: str, compiled: Mapping[str, str]) -> None:
        self.channel = channel
        self.locale = locale
        self._compiled = compiled

    @cached_property
    def parts(self) -> Parts:
        return Parts(self._compiled)


class VersionContents:
    """All that one version says. Immutable."""

    def __init__(self, contents: Iterable[ChannelContent]) -> None:
        self._by_channel: dict[str, dict[str, ChannelContent]] = {}
        for content in contents:
            self._by_channel.setdefault(content.channel, {})[content.locale] = content

    def covers(self, channel: str) -> bool:
        """Return whether there is a content for `channel`, in whatever locale."""
        return channel in self._by_channel

    def choose(self, channel: str, locale: str) -> ChannelContent | None:
        """Return the content for a person's locale by the fallback chain of `locales.choose`."""
        available = self._by_channel.get(channel, {})
        chosen = _choice(tuple(available), locale, settings.LANGUAGE_CODE)
        return available[chosen] if chosen is not None else None


def version_contents(version_id: int) -> VersionContents:
    """Return what a version says; published ones are kept in this process. Two queries, or none."""
    try:
        return _published(version_id)
    except _IsDraft as draft:
        return of_drafts((content.channel, content.locale, content.parts) for content in draft.contents)


def of_drafts(contents: Iterable[tuple[str, str, Mapping[str, str]]]) -> VersionContents:
    """Return unpublished contents, (channel, locale, parts) each, as they will be once published."""
    return VersionContents(
        ChannelContent(channel, locale, compiling.compile_parts(channel, locale, parts))
        for channel, locale, parts in contents
    )


class Occasion:
    """What many people are told alike. Each gets it with what is their own; any thread may render it."""

    def __init__(
        self,
        contents: VersionContents | None,
        variables: Mapping[str, Any],
        *,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """`variables` and `data` are those of `render`, without what is a person's own: user, unsubscribe_url."""
        self._contents, self._variables, self._data = contents, variables, data
        self._audiences: dict[tuple[str, str, str], _Audience] = {}

    def render(self, channel: str, *, locale: str, timezone: str, personal: Mapping[str, Any]) -> Rendered:
        """Return one person's message. `personal` is laid over what all are told. Raises RenderError."""
        audience = self._audiences.get((channel, locale, timezone))
        if audience is None:
            audience = self._audience(channel, locale, timezone)
        return audience.render(personal)

    def _audience(self, channel: str, locale: str, timezone: str) -> "_Audience":
        variables = self._variables
        content = self._contents.choose(channel, locale) if self._contents is not None else None
        if content is None:
            content = _standard(channel, _choice(standard.LOCALES, locale, settings.LANGUAGE_CODE) or "en")
            variables = {**variables, "data": dict(_data(variables) if self._data is None else self._data)}
        found = _Audience(content, variables, reader_of(locale, timezone, content.locale))
        self._audiences[channel, locale, timezone] = found
        return found


class _Audience:
    """All who read an occasion alike."""

    def __init__(self, content: ChannelContent, variables: Mapping[str, Any], reader: Reader) -> None:
        self._content, self._reader = content, reader
        self._given = seen_by_authors(variables)
        self._told = Told()

    def render(self, personal: Mapping[str, Any]) -> Rendered:
        given = {**self._given, **_empties_as_none(personal)}
        parts = {}
        for part, text in self._content.parts.render(given, self._reader, self._told):
            try:
                parts[part] = _finished(part, text)
            except RenderError as error:
                raise error.in_part(part) from error
        return Rendered(parts, self._content.locale)


def render(
    contents: VersionContents | None,
    *,
    channel: str,
    locale: str,
    timezone: str,
    variables: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
) -> Rendered:
    """Return one person's message. Without contents for the channel it says title, body and link the standard way.

    `variables` is plain JSON: the payload's template_variables with title, body, link, type, user, category and
    unsubscribe_url laid over. `data`: template_variables alone, for the standard webhook. Raises RenderError.
    """
    return Occasion(contents, variables, data=data).render(channel, locale=locale, timezone=timezone, personal={})


def render_standard(
    channel: str,
    *,
    locale: str,
    timezone: str,
    variables: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
) -> Rendered:
    """Return the message of a type that has no words of its own for the channel."""
    return render(None, channel=channel, locale=locale, timezone=timezone, variables=variables, data=data)


def forget() -> None:
    """Drop the versions kept in this process: for tests, whose databases give the same ids to other rows."""
    _published.cache_clear()


class _IsDraft(Exception):
    def __init__(self, contents: list[Content]) -> None:
        super().__init__()
        self.contents = contents


@lru_cache(maxsize=256)
def _published(version_id: int) -> VersionContents:
    version = TemplateVersion.objects.prefetch_related("contents").get(pk=version_id)
    contents = list(version.contents.all())
    if version.published_at is None:
        raise _IsDraft(contents)  # an exception is not cached, and a draft must not be
    return VersionContents(ChannelContent(content.channel, content.locale, content.compiled) for content in contents)


@lru_cache(maxsize=64)
def _standard(channel: str, locale: str) -> ChannelContent:
    parts = standard.CONTENTS.get(channel, {})
    return ChannelContent(channel, locale, compiling.compile_parts(channel, locale, parts))


@lru_cache(maxsize=4096)
def _choice(available: tuple[str, ...], wanted: str, default: str) -> str | None:
    return locales.choose(available, wanted=wanted, default=default)


def _data(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if name not in standard.GIVEN}


def installation() -> dict[str, str]:
    """Return what every template sees of this installation."""
    return {
        "site_name": settings.SITE_NAME,
        "postal_address": settings.POSTAL_ADDRESS,
        "settings_url": f"{settings.PUBLIC_URL}/preferences/",
    }


def reader_of(locale: str, timezone: str, content_locale: str) -> Reader:
    """Return whose eyes a text is for: numbers and dates as the person writes them, in the text's language."""
    return _reader(locale, timezone or settings.TIME_ZONE, content_locale, settings.LANGUAGE_CODE)


@lru_cache(maxsize=4096)
def _reader(locale: str, timezone: str, content_locale: str, default: str) -> Reader:
    same_language = locales.normalised(locale).split("-")[0] == locales.normalised(content_locale).split("-")[0]
    return Reader(_babel_locale(locale if same_language else content_locale, default), _zone(timezone))


def seen_by_authors(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables as an author expects them, with what this installation says of itself.

    An empty text counts as none, so that `{% if link %}` means what it says.
    """
    given = _empties_as_none({**installation(), **variables})
    if isinstance(category := given.get("category"), dict):
        given["category"] = _Named(category)
    return given


def _empties_as_none(variables: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(variables)
    if "" in given.values():
        given |= dict.fromkeys([name for name in _MAY_BE_EMPTY if given.get(name) == ""])
    if isinstance(user := given.get("user"), dict) and "" in user.values():
        given["user"] = {name: None if value == "" else value for name, value in user.items()}
    return given


class _Named(dict[str, Any]):
    """A category: `{{ category }}` is its key, `{{ category.name }}` its name."""

    def __str__(self) -> str:
        return str(self.get("key", ""))


@lru_cache(maxsize=500)
def _babel_locale(locale: str, default: str) -> Locale:
    for name in (*locales.fallback_chain(locale, default), "en"):
        try:
            return Locale.parse(name, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    raise AssertionError("Babel always knows English.")


@lru_cache(maxsize=1000)
def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ValueError, OSError, LookupError):
        return ZoneInfo(settings.TIME_ZONE)


def _finished(part: str, text: str) -> str:
    """Return a rendered part as it may leave us. Raises RenderError."""
    if part in _SINGLE_LINE and not (text.isprintable() and "  " not in text):  # of blanks only the space is printable
        text = _LINE_BREAKS.sub(" ", text).strip()
    if part == "html":
        return text
    if part == "link" and text and not is_safe(text, settings.LINK_SCHEMES):
        raise RenderError("This is no web link, nor one of an app that settings allow.")
    if part == "json":
        _json(text)
    if part == "actions" and text.strip():
        _check_actions(_json(text))
    if "\n\n\n" in text or "\n " in text or "\n\t" in text:
        text = _GAPS.sub("\n\n", text)
    return text.strip()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise RenderError("What comes out is not valid JSON.", line=line) from error


def _check_actions(actions: Any) -> None:
    if not isinstance(actions, list) or len(actions) > _MAX_ACTIONS:
        raise RenderError(f"Actions are a list of at most {_MAX_ACTIONS}.")
    for action in actions:
        if not isinstance(action, dict) or not isinstance(action.get("label"), str) or not action["label"].strip():
            raise RenderError('An action is {"label": "…", "url": "https://…", "primary": true}.')
        if not isinstance(action.get("url"), str) or not is_safe(action["url"], settings.LINK_SCHEMES):
            raise RenderError(f"The action “{action['label'][:40]}” needs a web link.")
