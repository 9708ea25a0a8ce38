"""Every sentence of our pages is there in every language of ours, compiled as it is written."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import activate, deactivate
from django.utils.translation import gettext as translated
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
APPS = ("preferences", "notifications", "templates_app", "project")
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
_CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
# What `templatize` makes of the tags: gettext('…'), ngettext('…','…', count), _('…').
_IN_TEMPLATE = re.compile(r"""\b(?:_|n?gettext)\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_PLACEHOLDER = re.compile(r"%\((\w+)\)")
# Labels of the admin, which speaks English alone.
_ADMIN = ("project/templates/unfold", "project/templates/admin", "templates/admin")


def test_the_search_for_sentences_finds_what_there_is() -> None:
    found = sentences()

    assert {"Undo", "Notification settings", "Saved. You will get %(category)s %(by)s."} <= found
    assert len(found) > 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_lacks_a_language(language: str) -> None:
    catalogue = compiled(language)

    assert sorted(sentences() - catalogue.keys()) == []
    assert [source for source, text in catalogue.items() if source and not text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_put_into_a_sentence_is_put_into_its_translation(language: str) -> None:
    wrong = [
        source
        for source, text in compiled(language).items()
        if source and not set(_PLACEHOLDER.findall(text)) <= set(_PLACEHOLDER.findall(source))
    ]

    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    written = (ROOT / f"project/locale/{language}/LC_MESSAGES/django.po").read_text()

    sources = {ast.literal_eval(text) for text in re.findall(r'^msgid (".+")$', written, re.MULTILINE)}
    assert sources - {""} == compiled(language).keys() - {""}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_form_has_words(language: str) -> None:
    activate(language)
    try:
        assert translated("Undo") != "Undo"
    finally:
        deactivate()
    text = "%(count)d setting saved."
    with mo(language).open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    assert all(catalogue.ngettext(text, "", number) not in (text, "") for number in (0, 1, 2, 3, 11, 100))


def sentences() -> set[str]:
    """Return every source sentence in the code and templates of our pages."""
    return {sentence for app in APPS for sentence in [*_in_code(ROOT / app), *_in_templates(ROOT / app)]}


def compiled(language: str) -> dict[str, str]:
    with mo(language).open("rb") as file:
        catalogue: dict[str | tuple[str, int], str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key if isinstance(key, str) else key[0]: text for key, text in catalogue.items()}


def mo(language: str) -> Path:
    return ROOT / f"project/locale/{language}/LC_MESSAGES/django.mo"


def _in_code(app: Path) -> Iterator[str]:
    for path in app.rglob("*.py"):
        if "/admin/" in str(path) or "gettext" not in (source := path.read_text()):
            continue
        for node in ast.walk(ast.parse(source)):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in _CALLS and isinstance(node, ast.Call):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def _in_templates(app: Path) -> Iterator[str]:
    for path in app.rglob("*.html"):
        if not any(part in str(path) for part in _ADMIN):
            for literal in _IN_TEMPLATE.findall(templatize(path.read_text())):
                yield ast.literal_eval(literal)
