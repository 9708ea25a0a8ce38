import re

import pytest

from templates_app import compiling, liquid
from templates_app.html_to_text import to_text
from templates_app.liquid_in_html import Protected
from templates_app.liquid_source import RenderError


def compiled(html: str, **parts: str) -> dict[str, str]:
    return compiling.compile_parts("email", "en", {"subject": "Hello", "html": html, **parts})


def tags(source: str) -> list[str]:
    return re.findall(r"\{%.*?%\}|\{\{.*?\}\}", source, re.DOTALL)


@pytest.mark.parametrize(
    "html",
    [
        "<p>{{ a }}</p>",
        "<table>{% for i in items %}<tr><td>{{ i.name }}</td></tr>{% endfor %}</table>",
        "<table>{% if a < 1 %}<tr><td>x</td></tr>{% endif %}</table>",
        "<ul>{% for i in items %}<li>{{ i }}</li>{% endfor %}</ul>",
        "<select>{% for i in items %}<option>{{ i }}</option>{% endfor %}</select>",
        "<a href=\"{{ link | default: 'https://e.org/?a=1&b=2' }}\">x</a>",
        "<a href='{{ link | default: \"x\" }}'>x</a>",
        "<a href={{ link }}>x</a>",
        '<p style="color: {{ colour }}">x</p>',
        '<p class="{% if a > 1 %}big{% else %}small{% endif %}">x</p>',
        '<img alt="{{ a }}" src="{{ b }}">',
        "<!-- {{ a }} --><p>x</p>",
        "{% raw %}{{ not liquid }}{% endraw %}<p>{{ a }}</p>",
        "{% comment %}<p>{{ x }}{% endcomment %}<p>{{ a }}</p>",
        "<title>{{ a }}</title><p>x</p>",
        "<style>p { color: red }</style><p>{{ a }}</p>",
        "{% if a %}<p>1</p>{% elsif b %}<p>2</p>{% else %}<p>3</p>{% endif %}",
        "<p>lqd00000z <!--lqd00001z--> {{ a }}</p>",
        "<!doctype html><html><head><title>{{ a }}</title></head><body><p>{{ b }}</p></body></html>",
    ],
)
def test_every_tag_comes_through_in_its_place(html: str) -> None:
    frame = tags(compiled("<p>x</p>")["html"]) if not html.startswith("<!doctype") else []
    result = compiled(html)["html"]

    assert [tag for tag in tags(result) if tag not in frame] == [tag for tag in tags(html) if tag not in frame]
    assert "lqd" not in result.replace("lqd00000z", "").replace("<!--lqd00001z-->", "")
    liquid.parse(result, escape=liquid.Escape.HTML)


def test_a_loop_between_rows_still_makes_rows() -> None:
    html = compiled("<table>{% for i in items %}<tr><td>{{ i }}</td></tr>{% endfor %}</table>")["html"]

    inner = html[html.index("{% for") : html.index("{% endfor %}")]

    assert "<tr>" in inner
    assert "{{ i }}</td></tr>" in inner


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<p>\n<a {% if a %}class="b"{% endif %}>x</a>', "between attributes"),
        ("\n<style>p { color: {{ c }} }</style>", "<style>"),
        ('\n<link rel="stylesheet" href="file:///etc/passwd">', "not fetched"),
        ("\n<script>1</script>", "no scripts"),
        ("\n{{ a", "never closed"),
    ],
)
def test_what_html_would_lose_is_refused_with_its_line(html: str, said: str) -> None:
    with pytest.raises(RenderError) as caught:
        compiled(html)

    assert said in caught.value.message
    assert (caught.value.part, caught.value.line) == ("html", 2)


def test_a_tag_that_was_lost_is_noticed() -> None:
    protected = Protected("<p>{{ a }}{{ b }}</p>")

    with pytest.raises(RenderError, match="{{ b }}"):
        protected.restore(protected.html[:-30])


def test_styles_are_inlined_and_the_dark_ones_stay() -> None:
    html = compiled(
        '<style>.x { color: red } @media (prefers-color-scheme: dark) { .x { color: blue } }</style><p class="x">y</p>'
    )["html"]

    assert re.search(r'<p class="x" style="[^"]*color: red', html)
    assert "prefers-color-scheme: dark" in html


def test_the_frame_says_why_and_how_to_stop() -> None:
    html = compiled("<p>x</p>")["html"]

    assert "{{ unsubscribe_url }}" in html
    assert "{{ settings_url }}" in html
    assert "{{ postal_address | newline_to_br }}" in html
    assert 'width="600"' in html


def test_a_whole_document_keeps_its_own_frame() -> None:
    html = compiled("<!doctype html><html><body><p>mine</p></body></html>")["html"]

    assert "mine" in html
    assert "unsubscribe_url" not in html


def test_german_mail_has_a_german_frame() -> None:
    html = compiling.compile_parts("email", "de-AT", {"subject": "Hallo", "html": "<p>x</p>"})["html"]

    assert "Abbestellen" in html
    assert 'lang="de-AT"' in html


def test_arabic_mail_reads_from_the_right() -> None:
    assert 'dir="rtl"' in compiling.compile_parts("email", "ar", {"subject": "x", "html": "<p>x</p>"})["html"]


def test_a_text_part_is_made_of_the_html() -> None:
    html = '<h1>Hi {{ name }}</h1>{% for i in items %}<p>{{ i }}</p>{% endfor %}<a href="{{ link }}">See &amp; buy</a>'

    text = compiled(html)["text"]

    assert text.startswith("Hi {{ name }}\n")
    assert tags(text)[:4] == ["{{ name }}", "{% for i in items %}", "{{ i }}", "{% endfor %}"]
    assert "See & buy: {{ link }}" in text
    assert "Unsubscribe: {{ unsubscribe_url }}" in text


def test_a_text_of_the_authors_own_wins() -> None:
    text = compiled("<p>x</p>", text="My own {{ words }}")["text"]

    assert text.startswith("My own {{ words }}")


def test_text_of_html_reads_well() -> None:
    html = (
        "<head><title>no</title></head><style>no</style><div class='preheader'>no</div><h1>Big</h1><p>One<br>two</p>"
        "<ul><li>a</li><li>b</li></ul><table><tr><td>Tea</td><td>3 €</td></tr></table>"
        "<a href='https://e.org'>https://e.org</a> <a href='#top'>up</a> <img alt='A cat' src='x'><hr>"
    )

    assert to_text(html) == "Big\n\nOne\ntwo\n\n- a\n\n- b\n\nTea 3 €\n\nhttps://e.org up A cat\n---"


@pytest.mark.parametrize("channel", ["sms", "push", "in_app", "webhook", "chat", "voice"])
def test_other_channels_are_taken_as_they_are(channel: str) -> None:
    assert compiling.compile_parts(channel, "en", {"text": "{{ a }}", "title": " "}) == {"text": "{{ a }}"}
