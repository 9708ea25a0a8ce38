"""What is done once, at publish, so that nothing but Liquid is left to do for each person."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from project.foundation.on_demand import OnDemand
from templates_app import locales, standard
from templates_app.html_to_text import to_text
from templates_app.liquid_in_html import Protected
from templates_app.liquid_source import RenderError, check

if TYPE_CHECKING:
    import css_inline
else:
    css_inline = OnDemand("css_inline")

_LAYOUTS = Path(__file__).parent / "layouts"
_WHOLE_DOCUMENT = re.compile(r"\s*(?:<!doctype\b|<html\b)", re.IGNORECASE)
_LEFT_TO_RIGHT, _RIGHT_TO_LEFT = "ltr", "rtl"
_RIGHT_TO_LEFT_LANGUAGES = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "sd", "ug", "dv"})
_STYLESHEET_LINK = re.compile(r"<link\b[^>]*\brel\s*=\s*[\"']?\s*stylesheet", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)


def compile_parts(channel: str, locale: str, parts: Mapping[str, str]) -> dict[str, str]:
    """Return what a content becomes: for e-mail the layout, inlined CSS and a text part; else its parts as they are.

    What comes back is still Liquid. Raises RenderError with the part, and the line of the author's source where known.
    """
    given = {part: source for part, source in parts.items() if source.strip()}
    if channel != "email":
        return given
    words = standard.WORDS[locales.choose(standard.WORDS, wanted=locale, default="en") or "en"]
    compiled = {"subject": given.get("subject", "")}
    if "html" in given:
        source = _with_words(given["html"], {"open": words["open"]})
        compiled["html"] = _html(source, locale, words, compiled["subject"])
    if "text" in given or "html" in given:
        text = given.get("text") or _text_of(given["html"])
        compiled["text"] = _with_words(_layout("standard.txt"), {**words, "content": text})
    return compiled


def _html(source: str, locale: str, words: Mapping[str, str], subject: str) -> str:
    try:
        check(source)
        _refuse_what_mail_cannot_hold(source)
        if not _WHOLE_DOCUMENT.match(source):
            Protected(source)  # names the line in the author's own text
            rtl = locales.normalised(locale).split("-")[0] in _RIGHT_TO_LEFT_LANGUAGES
            frame = {"lang": locale, "dir": _RIGHT_TO_LEFT if rtl else _LEFT_TO_RIGHT, "subject": subject}
            source = _with_words(_layout("standard.html"), {**words, **frame, "content": source})
        protected = Protected(source)
        return protected.restore(_inlined(protected.html))
    except RenderError as error:
        raise error.in_part("html") from error


def _inlined(html: str) -> str:
    try:
        return _inliner().inline(html)
    except css_inline.InlineError as error:
        raise RenderError(f"The styles cannot be read: {error}") from error


@cache
def _inliner() -> "css_inline.CSSInliner":
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def _refuse_what_mail_cannot_hold(source: str) -> None:
    for pattern, message in (
        (_STYLESHEET_LINK, "Stylesheets are not fetched: write the rules into <style>."),
        (_SCRIPT, "Mail programs run no scripts."),
    ):
        if found := pattern.search(source):
            raise RenderError(message, line=source.count("\n", 0, found.start()) + 1)


def _text_of(html: str) -> str:
    protected = Protected(html)
    return protected.restore(to_text(protected.html), whole=False)


def _with_words(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\[\[(\w+)\]\]", lambda match: words.get(match[1], match[0]), text)


@cache
def _layout(name: str) -> str:
    return (_LAYOUTS / name).read_text(encoding="utf-8")
