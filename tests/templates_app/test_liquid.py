import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from templates_app import liquid, liquid_source
from templates_app.liquid import Escape, Reader, RenderError

BERLIN = Reader(Locale.parse("de"), ZoneInfo("Europe/Berlin"))
LONDON = Reader(Locale.parse("en_GB"), ZoneInfo("Europe/London"))


def render(source: str, variables: dict[str, Any] | None = None, reader: Reader = LONDON, **how: Any) -> str:
    return liquid.parse(source, **how).render(variables or {}, reader)


def fault(source: str, variables: dict[str, Any] | None = None, **how: Any) -> RenderError:
    with pytest.raises(RenderError) as caught:
        render(source, variables, **how)
    return caught.value


@pytest.mark.parametrize(
    "source",
    [
        "{{ user.__class__ }}",
        "{{ user.__class__.__mro__ }}",
        "{{ user['__init__'] }}",
        "{{ user.keys }}",
        "{{ items.append }}",
        "{{ name.upper }}",
        "{{ name.__len__ }}",
        "{{ user.items }}",
        "{{ self }}",
        "{{ globals }}",
    ],
)
def test_a_template_reaches_no_attribute_of_python(source: str) -> None:
    assert fault(source, {"user": {"a": 1}, "items": [1], "name": "Ada"}).variable


def test_map_reaches_no_attribute_either() -> None:
    assert render('{{ items | map: "__class__" | join }}', {"items": [{"a": 1}]}) == ""


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..1000000000) %}x{% endfor %}",
        "{% for i in (1..200) %}{% for j in (1..200) %}{% endfor %}{% endfor %}",
        "{% for i in (1..1000000000) reversed %}x{% endfor %}",
        "{% for i in (1..1000000000) reversed limit: 1 %}x{% endfor %}",
        "{% tablerow i in (1..1000000000) reversed %}x{% endtablerow %}",
        "{% for i in (1..1000000000000) limit: 1 offset: 900000000000 %}x{% endfor %}",
        "{% for i in (1..1000000000) limit: 900000000 %}{% break %}{% endfor %}"
        "{% for i in (1..1000000000) offset: continue %}x{% endfor %}",
        "{{ (1..1000000000) | join }}",
        "{{ (1..1000000000) | reverse | first }}",
        '{% assign s = "aaaaaaaa" %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}',
        '{% assign s = "' + "a" * 20_000 + '" %}{{ s | replace: "a", s }}',
        '{{ "' + "a" * 2_000 + '" | split: "" | join: "' + "b" * 2_000 + '" }}',
        '{{ "now" | date: "%999999999d" }}',
        "{% for i in (1..10000) %}" + "x" * 200 + "{% endfor %}",
        "{% include 'me' %}",
        "{% assign n = 9 %}{% for i in (1..10000) %}{% assign n = n | times: n %}{% endfor %}",
    ],
)
def test_no_template_takes_more_than_it_may(source: str) -> None:
    start = time.monotonic()

    fault(source, partials={"me": "{% include 'me' %}"})

    assert time.monotonic() - start < 5


def test_a_template_that_only_burns_time_is_stopped() -> None:
    source = "{% for i in (1..10000) %}" + "{% if 1 == 1 %}{% endif %}" * 2000 + "{% endfor %}"

    assert "time" in fault(source).message


@pytest.mark.parametrize(
    "source",
    [
        "{{" + " " * 100_000 + "}}",
        "{{" + " " * 100_000 + "x",
        "{{ " + "(" * 100_000 + " }}",
        "{% if " + "(" * 100_000 + "a" + ")" * 100_000 + " %}{% endif %}",
        "{% raw %}" * 20_000,
        "{% doc %}" * 20_000,
        "{{" * 100_000,
        "{% comment %}" + "{{" * 100_000,
        "{%" * 100_000,
        "{% if a %}" * 20_000,
        "x" * (liquid_source.MAX_SOURCE + 1),
    ],
)
def test_a_source_made_to_stall_the_parser_is_refused_quickly(source: str) -> None:
    start = time.monotonic()

    fault(source)

    assert time.monotonic() - start < 2


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "{%",
                "%}",
                "-",
                " ",
                "\n",
                "if",
                "endif",
                "for",
                "raw",
                "endraw",
                "comment",
                "endcomment",
                "x",
            ]
            + ["|", "'", '"', "(1..9)", "in", "liquid", "assign", "=", "case", "when", "tablerow", "include", "render"]
        ),
        max_size=40,
    )
)
def test_whatever_is_written_renders_or_is_refused(pieces: list[str]) -> None:
    try:
        render("".join(pieces), {"x": 1})
    except RenderError as error:
        assert error.message


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("a\n{{ order.id }}", 2, "order.id"),
        ("a\n\n{{ order.id | upcase }}", 3, "order.id"),
        ("a\n{% if x %}\nb", 2, "{% if %} is never closed"),
        ("{% if x %}\n{% for i in y %}\nb{% endfor %}", 1, "{% if %} is never closed"),
        ("a\nb {{ x", 2, "never closed"),
        ("a\n{% nope %}", 2, "nope"),
        ("a\n\n{{ x | nope }}", 3, "nope"),
        ("{% raw %}\n{{", 1, "{% raw %} is never closed"),
        ("\n{% render 'far' %}", 2, "far"),
        ("\n{{ 'x' | money: 'EUR' }}", 2, "no number"),
        ("\n{{ 'x' | base64_decode }}", None, ""),
    ],
)
def test_a_fault_names_its_line(source: str, line: int | None, said: str) -> None:
    error = fault(source, {"x": 1, "y": [1], "order": {}})

    assert said in error.message
    assert line is None or error.line == line


def test_a_missing_variable_is_named() -> None:
    assert fault("Hello {{ user.first_name }}", {"user": {}}).variable == "user.first_name"


def test_a_missing_variable_can_be_asked_for() -> None:
    assert render("{{ nick | default: 'you' }}{% if nick %}!{% endif %}") == "you"


def test_unstrict_rendering_leaves_a_missing_variable_empty() -> None:
    assert render("[{{ nick.name }}]", strict=False) == "[]"


def test_partials_are_included_and_rendered() -> None:
    partials = {"hello": "Hello {{ name }}", "price": '{{ price | money: "EUR" }}'}

    said = render("{% include 'hello' %}: {% render 'price', price: 2 %}", {"name": "Ada"}, partials=partials)

    assert said == "Hello Ada: €2.00"


def test_a_fault_in_a_partial_names_it() -> None:
    assert "greeting" in fault("{% include 'greeting' %}", partials={"greeting": "{{ x"}).message


@pytest.mark.parametrize(
    ("escape", "said"),
    [
        (Escape.HTML, "&lt;b&gt; &amp; &#34;&#39;\n"),
        (Escape.TEXT, "<b> & \"'\n"),
        (Escape.JSON, "<b> & \\\"'\\n"),
    ],
)
def test_variables_are_escaped_for_where_they_end_up(escape: Escape, said: str) -> None:
    assert render("{{ x }}", {"x": "<b> & \"'\n"}, escape=escape) == said
    assert render("{% echo x %}", {"x": "<b> & \"'\n"}, escape=escape) == said


@pytest.mark.parametrize(
    "source",
    [
        "{{ x | safe }}",
        "{{ x | escape_once }}",
        "{{ x | append: x }}",
        "{{ 'a' | append: x }}",
        "{{ x | url_encode | url_decode }}",
        "{{ x | base64_encode | base64_decode }}",
        "{% capture y %}{{ x }}{% endcapture %}{{ y }}",
        "{% assign y = x | upcase %}{{ y }}",
        "{{ list | join: ', ' }}",
        "{{ x | newline_to_br }}",
        "{{ x | strip_html }}",
        "{{ x | replace: 'b', '<i>' }}",
        "{{ x | json }}",
        "{{ x | truncate: 20, x }}",
        "{% for c in list %}{{ c }}{% endfor %}",
        "{{ list }}",
    ],
)
def test_no_filter_lets_markup_of_a_variable_through(source: str) -> None:
    hostile = "<script>alert(1)</script>"

    try:
        said = render(source, {"x": hostile, "list": [hostile]}, escape=Escape.HTML)
    except RenderError:
        return

    assert "<script" not in said.lower()


def test_a_whole_value_is_written_as_json() -> None:
    source = '{"order": {{ order | json }}, "note": "{{ note }}"}'

    said = render(source, {"order": {"id": 'a"b'}, "note": '","x":"'}, escape=Escape.JSON)

    assert said == '{"order": {"id": "a\\"b"}, "note": "\\",\\"x\\":\\""}'


@pytest.mark.parametrize(
    ("source", "german", "british"),
    [
        ('{{ 1234.5 | money: "EUR" }}', "1.234,50\xa0€", "€1,234.50"),
        ('{{ "19.9" | money: "JPY" }}', "20\xa0¥", "JP¥20"),
        ("{{ 1234.5 | number }}", "1.234,5", "1,234.5"),
        ("{{ 3 | number: 2 }}", "3,00", "3.00"),
        ("{{ 0.25 | percent }}", "25\xa0%", "25%"),
        ('{{ "2026-11-21T23:30:00Z" | local_date }}', "22.11.2026", "21 Nov 2026"),
        ('{{ "2026-11-21" | local_date: "long" }}', "21. November 2026", "21 November 2026"),
        ('{{ "2026-11-21T23:30:00Z" | local_time }}', "00:30", "23:30"),
        ('{{ 1795303800 | local_datetime: "short" }}', "22.11.26, 00:30", "21/11/2026, 23:30"),
    ],
)
def test_numbers_and_times_follow_the_reader(source: str, german: str, british: str) -> None:
    assert render(source, reader=BERLIN) == german
    assert render(source, reader=LONDON) == british


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 0.0 | money: 'EUR' }} {{ -0.0 | money: 'EUR' }}", "€0.00 -€0.00"),
        ("{{ 1 | money: 'EUR' }} {{ 1.0 | money: 'EUR' }} {{ '1' | money: 'EUR' }}", "€1.00 €1.00 €1.00"),
    ],
)
def test_amounts_that_are_equal_are_not_taken_for_each_other(source: str, said: str) -> None:
    assert render(source) == render(source) == said
    assert "no number" in fault("{{ true | money: 'EUR' }}").message
    assert "no ISO 4217" in fault("{{ 1 | money: long }}", {"long": "EUR" * 50}).message


def test_a_range_is_asked_at_once_what_it_contains() -> None:
    source = (
        "{% assign r = (1..1000000000000) %}{% for i in asked %}{% if r contains i %}{{ i }} {% endif %}{% endfor %}"
    )

    assert render(source, {"asked": ["x", 0, 7, 8.0, 8.5, None, 10**12]}) == "7 8.0 1000000000000 "


def test_standard_filters_are_there() -> None:
    assert render('{{ "2026-11-21" | date: "%d/%m/%Y" }} {{ "a,b" | split: "," | last | upcase }}') == "21/11/2026 B"


def test_line_breaks_stay_as_they_are() -> None:
    assert render("a\r\nb\n") == "a\r\nb\n"
