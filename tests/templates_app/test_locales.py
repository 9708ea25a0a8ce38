import pytest

from templates_app import locales


@pytest.mark.parametrize(
    ("available", "wanted", "chosen"),
    [
        (["en", "de", "de-AT"], "de-AT", "de-AT"),
        (["en", "de"], "de-AT", "de"),
        (["en", "de"], "DE_at", "de"),
        (["en", "de-DE"], "de-AT", "de-DE"),
        (["en", "zh-Hant", "zh"], "zh-Hant-TW", "zh-Hant"),
        (["en", "de"], "fr", "en"),
        (["en-GB", "de"], "fr", "en-GB"),
        (["de", "fr"], "it", "de"),
        (["de", "en"], "", "en"),
        ([], "de", None),
    ],
)
def test_exact_then_language_then_default_then_any(available: list[str], wanted: str, chosen: str | None) -> None:
    assert locales.choose(available, wanted=wanted, default="en") == chosen


def test_the_order_of_what_exists_does_not_matter() -> None:
    assert locales.choose(["fr", "de"], wanted="it", default="en") == locales.choose(
        ["de", "fr"], wanted="it", default="en"
    )
