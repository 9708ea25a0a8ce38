"""Compiled Liquid says what python-liquid says, or lets python-liquid say it."""

import re
import time
from typing import Any

import pytest
from liquid.exceptions import LiquidError

from templates_app import liquid, liquid_filters, liquid_parts
from templates_app.liquid import Escape, RenderError
from templates_app.liquid_compiled import code, compiling
from templates_app.liquid_compiled.runtime import Differs
from templates_app.liquid_parts import Parts, Told
from tests.templates_app.compiled_liquid import LONDON, by_reference, compiled


def by_parts(source: str, variables: Any) -> str:
    return dict(Parts({"text": source}).render(variables, LONDON))["text"]


def written(source: str) -> str:
    """Return the Python that a template becomes."""
    text = code.Code()
    compiling.Part(text, compiling.Shared(text), liquid.parse(source).template).write()
    return text.source()


def test_a_faulty_template_gets_the_references_error() -> None:
    with pytest.raises(RenderError) as caught:
        by_parts("a\n{{ user.nope }}", {"user": {}})

    error = caught.value
    assert (error.message, error.line, error.part) == ("The variable “user.nope” is missing.", 2, "text")


HOSTILE = [
    "__import__('os').system('x')",
    "'); raise SystemExit #",
    '"""\nimport os\n"""',
    "\\\nk1 = 1",
    "{0.__class__}",
    "%(x)s",
    "\x00\x1b",
    "def render(given, reader): return ('owned',)",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_an_author_writes_becomes_python(hostile: str) -> None:
    quoted = '"' + hostile.replace('"', "") + '"'
    sources = [
        hostile.replace("{", ""),
        "{{ " + quoted + " }}",
        "{% raw %}" + hostile + "{% endraw %}",
        "{{ user[" + quoted + "] | default: " + quoted + " }}",
        "{% assign x = " + quoted + " %}{% if x == " + quoted + " %}{{ x }}{% endif %}",
        "{% case x %}{% when " + quoted + " %}a{% else %}b{% endcase %}",
        "{% cycle " + quoted + ", 'b' %}",
        "{% for i in (1..2) %}{{ forloop.name }}" + hostile.replace("{", "") + "{% endfor %}",
    ]
    for source in sources:
        assert re.fullmatch(r"[\w\s(){}\[\],.:=<>+*-]*", written(source), re.ASCII)
        assert hostile not in written(source)
        said = by_reference(source, {"user": {}, "x": "x"}, Escape.TEXT)
        assert compiled(source)({"user": {}, "x": "x"}) == (said,)


@pytest.mark.parametrize(
    "source",
    [
        "{% assign import = 1 %}{{ import }}",
        "{% assign __builtins__ = 1 %}{{ __builtins__ }}",
        "{% for given in (1..2) %}{{ given }}{% endfor %}",
        "{% for render in (1..2) %}{% assign k1 = render %}{{ k1 }}{{ context }}{% endfor %}",
        "{% capture get %}x{% endcapture %}{{ get }}",
        "{% assign größe = 1 %}{{ größe }}",
        "{{ 'a' | default: 'b', lambda: 1 }}",
        "{{ 'a' | default: 'b', context: 1 }}",
        "{{ 'a' | upcase: environment: 1 }}",
    ],
)
def test_no_name_of_an_author_meets_one_of_ours(source: str) -> None:
    try:
        expected: str | RenderError = by_reference(source, {"context": "c"}, Escape.TEXT)
    except RenderError as error:  # it cannot even be read
        expected = error

    try:
        said: str | RenderError = by_parts(source, {"context": "c"})
    except RenderError as error:
        said = error

    assert str(said).removeprefix("text, ") == str(expected)


@pytest.mark.parametrize(
    "source",
    [
        "x = 'text'",
        'x = "text"',
        "k1.__globals__",
        "import os",
        "open(k1)",
        "k1 = k2 # k3",
        "ｋ1 = 2",
        "1if k1 else exec",
        "x = k1 \\\n",
        "k1; k2",
        "k1 @ k2",
    ],
)
def test_a_function_that_holds_anything_else_is_never_made(source: str) -> None:
    with pytest.raises(AssertionError):
        code.check(source)


def test_a_function_sees_none_of_pythons_own_names() -> None:
    text = code.Code()
    text.line("return len(given)")

    for half in text.function():
        assert half.__globals__["__builtins__"] == {}


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..10001) %}x{% endfor %}",
        "{% for i in (1..101) %}{% for j in (1..100) %}{% endfor %}{% endfor %}",
        "{% for i in (1..1000000000) reversed %}x{% endfor %}",
        "{% for i in (1..1000000000000) limit: 1 offset: 900000000000 %}x{% endfor %}",
        "{% for i in (1..1000000000) limit: 900000000 %}x{% endfor %}",
        "{% for i in (1..5000) %}" + "x" * 300 + "{% endfor %}",
        "{% for i in (1..5000) %}{% capture x %}" + "x" * 300 + "{{ x }}{% endcapture %}{% endfor %}",
        "{% assign s = 'aaaaaaaa' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}",
        "{{ long }}{{ long }}{{ long }}",
        "{% capture x %}{{ long }}{{ long }}{{ long }}{% endcapture %}",
        "{{ long | json }}" * 40,
    ],
)
@pytest.mark.parametrize("escape", [Escape.HTML, Escape.TEXT])
def test_limits_are_python_liquids_to_name(source: str, escape: Escape) -> None:
    function, started = compiled(source, escape=escape), time.monotonic()

    with pytest.raises((Differs, LiquidError)):
        function({"long": "y" * 400_000})

    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..9999) %}" + "{% if a == 1 %}b{% endif %}" * 100 + "{% endfor %}",
        "{{ a | append: 'x' }}" * 4000,
    ],
)
def test_a_template_that_only_burns_time_is_stopped(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = compiled(source)
    assert function({"a": 2})
    monkeypatch.setattr(liquid_filters, "TIME_LIMIT", 0.0001)

    with pytest.raises(Differs, match="late"):
        function({"a": 2})


def test_a_long_text_below_the_limits_is_rendered_all_the_same() -> None:
    said = by_parts("{{ long }}{{ long }}", {"long": "y" * 400_000})

    assert len(said) == 800_000


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{% tablerow i in (1..2) %}{{ i }}{% endtablerow %}",
        "{% ifchanged %}a{% endifchanged %}",
        "{% break %}",
        "{{ now }}",
        "{% increment n %}{{ n }}",
        "{{ 'a' | nope }}",
        "{% for i in (1..2) %}{{ forloop }}{% endfor %}",
        "{% for i in (1..2) limit: 1 %}{% endfor %}{% for i in (1..2) offset: continue %}{% endfor %}",
        "{% case 1 %}{% when 1, 1 %}twice{% endcase %}",
        "".join(f"{{% for i{n} in (1..1) %}}" for n in range(9)) + "{% endfor %}" * 9,
        "{{ 'a'" + " | upcase" * 300 + " }}",
    ],
)
def test_what_is_not_covered_stays_with_python_liquid(source: str) -> None:
    parts = Parts({"text": source, "subject": "{{ title }}"})

    assert parts.compiled == {"subject"}
    assert dict(Parts({"subject": "{{ title }}"}).render({"title": "t"}, LONDON)) == {"subject": "t"}


def test_parts_share_variables_and_nothing_else() -> None:
    function = compiled(
        "{% assign x = 1 %}{{ x }}{% increment n %}{% cycle 'a', 'b' %}",
        "{{ x | default: 'none' }}{% increment n %}{% cycle 'a', 'b' %}",
    )

    assert function({}) == ("10a", "none0a")
    assert function({"x": 5}) == ("10a", "50a")


def test_each_part_escapes_for_where_it_ends_up() -> None:
    parts = Parts({"subject": "{{ x }}", "html": "<p>{{ x }}</p>", "json": '"{{ x }}"'})
    assert parts.compiled == {"subject", "html", "json"}

    for _ in range(5):  # by python-liquid too, then by the function alone
        said = dict(parts.render({"x": '<"'}, LONDON))

        assert said == {"subject": '<"', "html": "<p>&lt;&#34;</p>", "json": '"<\\""'}


COMMON = [
    ("{{ shop }} and {% if sale %}{{ code | upcase }}{% endif %}", True),
    ("{% for item in items %}{{ item.name | append: shop }}{% break %}{% endfor %}", False),
    ("{% for item in items %}{{ item.name }}{{ forloop.index }}{% else %}none{% endfor %}", True),
    ("{{ user.name }}", False),
    ("{{ unsubscribe_url }}", False),
    ("{% for user in items %}{{ user.name }}{% endfor %}{% for item in user.items %}x{% endfor %}", False),
    ("{{ items[user.number] }}", False),
    ("{% if shop == user.shop %}a{% endif %}", False),
    ("{% case shop %}{% when user.shop %}a{% endcase %}", False),
    ("{{ shop | append: user.name }}", False),
    ("{% for i in items limit: user.number %}a{% endfor %}", False),
    ("{% for i in (1..user.number) %}a{% endfor %}", False),
    ("{% assign x = user.name %}{{ x }}{% capture y %}{{ shop }}{% endcapture %}{{ y }}", False),
    ("{% for i in items %}{% assign x = i %}{% endfor %}", False),
    ("{% cycle 'a', 'b' %}{% increment n %}", False),
    ("{{ 'now' | date: '%s' }}{{ 'now' | local_time }}{% if true %}{{ x | local_date }}{% endif %}", False),
    ("nothing but words{% comment %}{{ user.name }}{% endcomment %}", False),
]


@pytest.mark.parametrize(("source", "common"), COMMON)
def test_what_is_nobodys_own_is_rendered_once_for_all(source: str, common: bool) -> None:
    function = compiling.function_of({"text": liquid.parse(source, strict=False).template})
    assert function is not None

    said = function[1].common({"shop": "Bell", "sale": True, "code": "b", "items": [{"name": "n"}]}, LONDON)

    assert bool(said) is common


def test_what_was_said_to_one_person_is_said_to_the_next_with_their_own_words() -> None:
    told, parts = Told(), Parts({"text": "{{ user }}: {{ shop | upcase }}", "html": "<p>{{ shop }}</p>{{ user }}"})
    for _ in range(3):  # python-liquid has its look
        dict(parts.render({"user": "x", "shop": "y"}, LONDON))

    said = [dict(parts.render({"user": user, "shop": "a&b"}, LONDON, told)) for user in ("Ada", "<Bob>")]

    assert [each["text"] for each in said] == ["Ada: A&B", "<Bob>: A&B"]
    assert [each["html"] for each in said] == ["<p>a&amp;b</p>Ada", "<p>a&amp;b</p>&lt;Bob&gt;"]
    assert told.texts == (": A&B", "<p>a&amp;b</p>")


def _nothing(*_: object) -> tuple[str, ...]:
    return ()


def test_a_difference_is_seen_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "function_of", lambda _: (["text"], code.Function(_nothing, lambda *_: ("wrong",))))
    parts = Parts({"text": "right"})

    assert [dict(parts.render({}, LONDON))["text"] for _ in range(5)] == ["right"] * 5
    assert parts.compiled == frozenset()


def test_an_error_in_compiled_code_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def broken(*_: object) -> tuple[str, ...]:
        calls.append(1)
        raise RuntimeError

    monkeypatch.setattr(compiling, "function_of", lambda _: (["text"], code.Function(_nothing, broken)))
    monkeypatch.setattr(liquid_parts, "_MAX_FAILURES", 4)
    parts = Parts({"text": "right"})

    assert [dict(parts.render({}, LONDON))["text"] for _ in range(8)] == ["right"] * 8
    assert len(calls) == 4  # then it was given up


@pytest.mark.parametrize("character", ["\ud800", "a\udfff"])
def test_half_a_character_is_a_fault_as_before(character: str) -> None:
    for escape in Escape:
        with pytest.raises(UnicodeEncodeError):
            compiled("{{ x }}", escape=escape)({"x": character})
    assert isinstance(by_reference("{{ x }}", {"x": character}, Escape.TEXT), RenderError)
