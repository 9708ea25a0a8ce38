import io
import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from project.foundation import bodies, faults
from project.foundation.problems import Fault, InvalidRequest, TooLarge

Short = Annotated[str, msgspec.Meta(max_length=2)]


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    title: Annotated[str, msgspec.Meta(max_length=3)] = ""
    variables: dict[str, Any] = {}


class Body(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=5)]
    inner: Inner | None
    size: Literal["S", "L"] | None = None
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    id: UUID | None = None
    texts: list[Short] | None = None
    counts: dict[str, Annotated[int, msgspec.Meta(ge=0, le=9)]] | msgspec.UnsetType = msgspec.UNSET
    inners: list[Inner] = []


def found(value: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        bodies.check(value, Body)
    return {fault.pointer: fault.code for fault in caught.value.errors}


def request(body: bytes, path: str = "/x", **extra: Any) -> Any:
    return RequestFactory().generic("POST", path, body, content_type="application/json", **extra)


def test_a_sound_body_becomes_its_struct():
    body = bodies.read(request(b'{"name": "Ada", "inner": {"title": "x"}, "at": "2026-01-01T00:00:00Z"}'), Body)

    assert (body.name, body.inner.title, body.at.year, body.counts) == ("Ada", "x", 2026, msgspec.UNSET)


def test_every_fault_is_named_where_it_is():
    value = {
        "name": "",
        "inner": {"title": "long", "a/b~c": 1, "variables": 3},
        "size": "M",
        "at": "2026-01-01T00:00:00",
        "id": "x",
        "texts": ["ok", "long", 5],
        "counts": {"a": 10, "b": "x"},
        "inners": [{}, {"title": 1}, 7],
        "more": None,
    }

    assert found(value) == {
        "/name": "too_short",
        "/inner/title": "too_long",
        "/inner/a~1b~0c": "unknown_field",
        "/inner/variables": "wrong_type",
        "/size": "invalid_value",
        "/at": "invalid_value",
        "/id": "invalid_value",
        "/texts/1": "too_long",
        "/texts/2": "wrong_type",
        "/counts/a": "invalid_value",
        "/counts/b": "wrong_type",
        "/inners/1/title": "wrong_type",
        "/inners/2": "wrong_type",
        "/more": "unknown_field",
    }


def test_messages_are_for_people():
    with pytest.raises(InvalidRequest) as caught:
        bodies.check({"name": 5, "inner": None, "size": "M"}, Body)

    assert {fault.pointer: fault.message for fault in caught.value.errors} == {
        "/name": "Expected a string, got a whole number.",
        "/size": "It must be one of S, L.",
    }


def test_what_is_missing_is_named():
    assert found({}) == {"/name": "required", "/inner": "required"}


@pytest.mark.parametrize("text", ["a\0", "\ud800", "\udfff"])
def test_text_that_nothing_can_store_is_found_anywhere(text):
    assert found({"name": text, "inner": None})["/name"] == "invalid_string"
    assert found({"name": "a", "inner": {"variables": {"x": [{"y": text}]}}}) == {
        "/inner/variables/x/0/y": "invalid_string"
    }
    (pointer,) = found({"name": "a", "inner": {"variables": {text: 1}}})
    assert pointer.encode() and "\0" not in pointer


def test_an_escaped_backslash_is_no_nul():
    assert bodies.read(request(b'{"name": "\\\\u00", "inner": null}'), Body).name == "\\u00"


def test_a_flood_of_faults_is_cut_and_long_names_are_shortened():
    with pytest.raises(InvalidRequest) as caught:
        bodies.check(
            {"name": "a", "inner": None} | {f"{'x' * 500}{n}": n for n in range(3)} | {f"y{n}": n for n in range(5000)},
            Body,
        )

    assert len(caught.value.errors) == faults.MOST
    assert max(len(fault.pointer) for fault in caught.value.errors) < 120


def test_an_absent_body_may_be_optional():
    class Nothing(msgspec.Struct, forbid_unknown_fields=True):
        x: int = 1

    empty = RequestFactory().generic("POST", "/x", b"", content_type="")

    assert bodies.read(empty, Nothing, optional=True).x == 1


def test_bulk_routes_take_ten_times_as_much():
    big = b'"' + b"x" * (2 << 20) + b'"'

    assert len(bodies.raw(request(big, "/users/bulk"))) == len(big)
    with pytest.raises(TooLarge):
        bodies.raw(request(big, "/users"))
    with pytest.raises(TooLarge):
        bodies.raw(request(b'"' + b"x" * (11 << 20) + b'"', "/users/bulk"))


def test_a_body_that_is_declared_too_long_is_refused_unread():
    too_long = request(b"{}", CONTENT_LENGTH=str(5 << 20))

    with pytest.raises(TooLarge):
        bodies.raw(too_long)


def test_a_chunked_body_has_no_length_and_is_read_all_the_same():
    chunked = request(b'{"a": 1}')
    stream = io.BytesIO(b'{"a": 1}')
    chunked.META |= {"CONTENT_LENGTH": "", "wsgi.input": stream, "wsgi.input_terminated": True}

    assert bodies.raw(chunked) == b'{"a": 1}'


def test_the_body_is_read_once():
    once = request(b'{"a": 1}')

    assert bodies.raw(once) == bodies.raw(once) == b'{"a": 1}'


def test_the_schema_refers_to_nothing_and_can_leave_fields_out():
    schema = bodies.openapi(Body, without=["id"])["application/json"]

    assert "$ref" not in str(schema)
    assert "id" not in schema["properties"]
    assert schema["properties"]["inners"]["items"]["additionalProperties"] is False


def test_without_takes_away_what_the_faults_point_at():
    value = {"a": {"b": 1, "c": [1, 2]}, "d": 2, "x/y": 3}

    left = faults.without(value, [Fault("/a/c/1", "", ""), Fault("/x~1y", "", ""), Fault("/q", "", "")])

    assert left == {"a": {"b": 1}, "d": 2}


@pytest.mark.parametrize("levels", [1, 2, 64, 65, 200])
def test_depth_is_limited(levels):
    body = b"[" * levels + b"]" * levels

    if levels <= bodies.MAX_DEPTH:
        assert bodies.parse(body) is not None
    else:
        with pytest.raises(bodies.InvalidJSON):
            bodies.parse(body)


@pytest.mark.parametrize("levels", [1, 61, 62, 63, 200])
@pytest.mark.parametrize(("body", "outside"), [('{"items": [%s]}', 2), ("[[%s]]", 2), ('[{"a": [%s]}]', 3)])
def test_depth_is_limited_in_each_of_many_items(levels, body, outside):
    items = ["{}", '"' + "[" * 100 + '"', "[" * levels + "]" * levels, "7", "[[], {}]"] * 50
    text = (body % ", ".join(items)).encode()

    if levels + outside <= bodies.MAX_DEPTH:
        assert bodies.parse(text) is not None
    else:
        with pytest.raises(bodies.InvalidJSON):
            bodies.parse(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (b"Gr\\u00fc\\u00DFe, \\u4f60\\u597d", True),
        (b"\\u0000", False),
        (b"\\ud800", False),
        (b"\\uDFFF", False),
        (b"a\\\\u0000", False),  # a backslash and letters: not worth telling apart
    ],
)
def test_escaped_letters_are_clean_at_a_glance_and_what_may_be_half_a_letter_is_not(text, clean):
    assert bodies.is_clean(request(b'{"name": "' + text + b'"}')) is clean


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
BODIES = JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(Body.__struct_fields__, JSON))


@given(BODIES)
def test_the_second_pass_finds_a_fault_exactly_when_the_first_does(value):
    try:
        msgspec.convert(value, Body)
    except msgspec.ValidationError:
        assert faults.of_type(value, Body)
    else:
        assert faults.of_type(value, Body) == []


@given(JSON)
def test_what_is_clean_at_a_glance_holds_nothing_that_cannot_be_stored(value):
    if bodies.is_clean(request(json.dumps(value).encode())):
        assert faults.of_strings(value) == []
