import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from templates_app import compiling, drafts, rendering, standard
from templates_app.liquid_parts import Parts
from templates_app.models import TemplateVersion
from templates_app.rendering import RenderError
from tests.templates_app.conftest import published

VARIABLES: dict[str, Any] = {
    "title": "Your order",
    "body": "It is <on> its way.\nSoon.",
    "link": "https://example.com/?a=1&b=2",
    "type": "ORDER_SHIPPED",
    "user": {"user_id": "ada", "first_name": "Ada", "name": ""},
    "category": {"key": "orders", "name": "Orders"},
    "unsubscribe_url": "https://example.com/u",
    "order_id": "A-17",
}


def render(contents: Any, channel: str, locale: str = "en", **variables: Any) -> rendering.Rendered:
    return rendering.render(
        contents, channel=channel, locale=locale, timezone="Europe/Berlin", variables={**VARIABLES, **variables}
    )


def of(channel: str, **parts: str) -> rendering.VersionContents:
    return rendering.of_drafts([(channel, "en", parts)])


@pytest.mark.parametrize("part", ["subject", "title"])
def test_a_line_break_in_a_variable_starts_no_mail_header(part: str) -> None:
    channel = "email" if part == "subject" else "push"
    contents = of(channel, **{part: "Hi {{ title }}", "text": "x", "body": "x"})

    said = render(contents, channel, title="x\r\nBcc: eve@example.com\x0b\u2028y").parts[part]

    assert said == "Hi x Bcc: eve@example.com y"


def test_html_is_escaped_and_text_is_not() -> None:
    rendered = render(of("email", subject="{{ body }}", html="<p>{{ body }}</p>", text="{{ body }}"), "email")

    assert "It is &lt;on&gt; its way." in rendered.parts["html"]
    assert rendered.parts["text"].startswith("It is <on> its way.\nSoon.")
    assert rendered.parts["subject"] == "It is <on> its way. Soon."


def test_a_missing_variable_names_variable_part_and_line() -> None:
    with pytest.raises(RenderError) as caught:
        render(of("push", title="x", body="a\n{{ tracking.url }}"), "push")

    error = caught.value
    assert (error.variable, error.part, error.line) == ("tracking", "body", 2)


def test_an_empty_text_counts_as_none() -> None:
    contents = of("sms", text="{% if link %}yes{% else %}no{% endif %} {% if user.name %}yes{% else %}no{% endif %}")

    assert render(contents, "sms", link="").parts["text"] == "no no"


def test_a_category_prints_its_key() -> None:
    assert render(of("sms", text="{{ category }} {{ category.name }}"), "sms").parts["text"] == "orders Orders"


def test_the_content_follows_the_locale_and_says_which() -> None:
    contents = rendering.of_drafts([("sms", "en", {"text": "Hello"}), ("sms", "de", {"text": "Hallo"})])

    assert render(contents, "sms", "de-CH") == rendering.Rendered({"text": "Hallo"}, "de")
    assert render(contents, "sms", "fr") == rendering.Rendered({"text": "Hello"}, "en")


def test_numbers_keep_the_language_of_the_text() -> None:
    contents = rendering.of_drafts([("sms", "en", {"text": "{{ 1.5 | number }}"})])

    assert render(contents, "sms", "de").parts["text"] == "1.5"


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("link", "{{ evil }}"),
        ("actions", '[{"label": "Go", "url": "{{ evil }}"}]'),
        ("actions", '{"label": "Go"}'),
        ("actions", '[{"label": "", "url": "https://e.org"}]'),
        ("actions", "[1]"),
        ("actions", "nonsense"),
        ("actions", "[" * 5000),
    ],
)
def test_an_inbox_item_carries_only_links_that_are_safe(part: str, source: str) -> None:
    with pytest.raises(RenderError) as caught:
        render(of("in_app", title="x", **{part: source}), "in_app", evil="java\nscript:alert(1)")

    assert caught.value.part == part


def test_actions_render_to_json_whatever_their_variables_hold() -> None:
    contents = of("in_app", title="x", actions='[{"label": "{{ title }}", "url": "{{ link }}", "primary": true}]')

    rendered = render(contents, "in_app", title='See "it"', link="https://e.org/?x=1")

    assert json.loads(rendered.parts["actions"]) == [
        {"label": 'See "it"', "url": "https://e.org/?x=1", "primary": True}
    ]


def test_a_webhook_that_is_no_json_is_refused() -> None:
    with pytest.raises(RenderError, match="not valid JSON"):
        render(of("webhook", json='{"a": {{ title }}}'), "webhook")


@pytest.mark.parametrize("channel", ["email", "sms", "push", "web_push", "in_app", "webhook", "chat", "voice"])
def test_without_words_of_its_own_a_channel_says_title_body_and_link(channel: str) -> None:
    rendered = render(of("fax"), channel)

    assert "Your order" in " ".join(rendered.parts.values())


@pytest.mark.parametrize("channel", ["email", "sms", "push", "web_push", "in_app", "webhook", "chat", "voice"])
def test_the_standard_words_need_no_body_and_no_link(channel: str) -> None:
    rendered = render(None, channel, body="", link="", unsubscribe_url="")

    assert 'href=""' not in rendered.parts.get("html", "")


def test_the_standard_webhook_has_the_agreed_shape() -> None:
    rendered = rendering.render(
        None, channel="webhook", locale="", timezone="", variables=VARIABLES, data={"order_id": "A-17"}
    )

    assert json.loads(rendered.parts["json"]) == {
        "type": "ORDER_SHIPPED",
        "user_id": "ada",
        "title": "Your order",
        "body": "It is <on> its way.\nSoon.",
        "link": "https://example.com/?a=1&b=2",
        "data": {"order_id": "A-17"},
    }


def test_the_standard_mail_has_one_button_in_the_readers_language() -> None:
    rendered = render(None, "email", "de-AT")

    assert rendered.locale == "de"
    assert rendered.parts["html"].count('class="button"') == 1
    assert ">Öffnen</a>" in rendered.parts["html"]
    assert 'href="https://example.com/?a=1&amp;b=2"' in rendered.parts["html"]


def test_the_postal_address_stands_below_every_mail(settings: Any) -> None:
    settings.POSTAL_ADDRESS = "1 Bell Street\nLondon"

    rendered = render(None, "email")

    assert "1 Bell Street<br />\nLondon" in rendered.parts["html"]
    assert rendered.parts["text"].endswith("1 Bell Street\nLondon")


def test_strange_locales_and_zones_do_no_harm() -> None:
    rendered = rendering.render(None, channel="sms", locale="x" * 35, timezone="../../etc", variables=VARIABLES)

    assert rendered.locale == "en"


def test_a_published_version_is_read_once(db: None) -> None:
    contents = published("a", ("sms", "en", {"text": "Hello"}))
    rendering.forget()

    with CaptureQueriesContext(connection) as queries:
        version = TemplateVersion.objects.get().pk
        first, second = rendering.version_contents(version), rendering.version_contents(version)

    assert first is second
    assert len(queries) == 3
    assert contents.covers("sms")
    assert not contents.covers("email")


def test_a_draft_is_read_anew(db: None) -> None:
    def write(text: str) -> int:
        return drafts.save("a", contents=[drafts.ContentDraft("sms", "en", {"text": text})], actor="t")[0].pk

    assert render(rendering.version_contents(write("one")), "sms").parts["text"] == "one"
    assert render(rendering.version_contents(write("two")), "sms").parts["text"] == "two"


def test_nothing_that_comes_with_us_is_left_to_the_slower_way() -> None:
    texts = {"standard": dict.fromkeys(standard.LOCALES, standard.CONTENTS)}
    demo = Path(rendering.__file__).resolve().parents[1] / "project" / "demo" / "content" / "templates"
    for file in demo.glob("*.toml"):
        texts[file.stem] = tomllib.loads(file.read_text())
        texts[file.stem].pop("name")

    assert len(texts) > 5
    for contents in texts.values():
        for locale, channels in contents.items():
            for channel, parts in channels.items():
                compiled = compiling.compile_parts(channel, locale, parts)
                assert Parts(compiled).compiled == compiled.keys()


def test_an_occasion_tells_each_person_their_own_in_their_own_language() -> None:
    stop = "{% if unsubscribe_url %} {{ unsubscribe_url }}{% endif %}"
    words = {"text": "{{ user.name }}: {{ 1.5 | number }} {{ shop }}" + stop}
    occasion = rendering.Occasion(
        rendering.of_drafts([("sms", "en", words), ("sms", "de", words)]), {"shop": "Bell", "title": "News"}
    )

    def said(name: str, locale: str, url: str) -> str:
        personal = {"user": {"name": name}, "unsubscribe_url": url}
        return occasion.render("sms", locale=locale, timezone="", personal=personal).parts["text"]

    for _ in range(5):
        assert said("Ada", "en", "https://a/u") == "Ada: 1.5 Bell https://a/u"
        assert said("Bert", "de", "https://b/u") == "Bert: 1,5 Bell https://b/u"
        assert said("Cy", "en", "") == "Cy: 1.5 Bell"


def test_a_missing_variable_is_each_persons_fault_and_told_each_time() -> None:
    occasion = rendering.Occasion(of("sms", text="{{ nope }} {{ user.name }}"), {})

    for name in "abcde":
        with pytest.raises(RenderError, match="“nope” is missing"):
            occasion.render("sms", locale="en", timezone="", personal={"user": {"name": name}})
