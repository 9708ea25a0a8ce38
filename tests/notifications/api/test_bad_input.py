"""What must never get in, through the real view: every fault is named, nothing is stored, nothing breaks."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.models import IdempotencyRecord, Notification
from preferences.models import User
from tests.notifications.api.conftest import pointers

SEND = "/api/v1/notifications/send"


@pytest.fixture(autouse=True)
def _ready(ada, typed):
    yield
    assert not Notification.objects.exists()
    assert not IdempotencyRecord.objects.exists()
    assert list(User.objects.values_list("user_id", flat=True)) == ["ada"]


def test_every_fault_of_a_request_is_named_at_once(shop, body):
    body |= {
        "user_id": "nobody",
        "channels_preferred": ["email", "pigeon", 7],
        "priority": "URGENT",
        "timestamp": "yesterday",
        "notification_id": "not-a-uuid",
        "colour": "red",
        "send_at": "2027-01-01T10:00:00",
        "user": {"email": "x", "shoe": 43},
        "digest_key": "k",
        "locale": "klingon!",
        "metadata": [],
    }
    body["payload"] = {"title": 5, "link": "javascript:x", "template_variables": {"order_id": 1}, "extra": None}

    response = shop.send(body)

    assert response.status_code == 422
    assert pointers(response) == {
        "/channels_preferred/2": "wrong_type",
        "/priority": "invalid_value",
        "/timestamp": "invalid_value",
        "/notification_id": "invalid_value",
        "/colour": "unknown_field",
        "/send_at": "invalid_value",
        "/user/email": "invalid_address",
        "/user/shoe": "unknown_field",
        "/digest_key": "not_available",
        "/locale": "invalid_locale",
        "/metadata": "wrong_type",
        "/payload/title": "wrong_type",
        "/payload/link": "invalid_link",
        "/payload/template_variables/order_id": "wrong_type",
        "/payload/template_variables/customer_name": "required",
        "/payload/extra": "unknown_field",
    }


def test_unknown_user_type_and_channel_are_named(shop, body):
    response = shop.send(body | {"user_id": "nobody", "type": "NOTHING", "channels_preferred": ["pigeon"]})

    assert pointers(response) == {
        "/user_id": "unknown_user",
        "/type": "unknown_type",
        "/channels_preferred/0": "unknown_channel",
    }


def test_an_empty_body_lacks_what_is_required(shop):
    assert pointers(shop.send({})) == {"/user_id": "required", "/type": "required", "/payload": "required"}


@pytest.mark.parametrize("value", [[], None, "text", 5, True])
def test_a_body_that_is_no_object(shop, value):
    assert pointers(shop.post_raw(SEND, json.dumps(value).encode())) == {"": "wrong_type"}


def test_missing_variables_are_named(shop, body):
    body["payload"]["template_variables"] = {}

    assert pointers(shop.send(body)) == {
        "/payload/template_variables/order_id": "required",
        "/payload/template_variables/customer_name": "required",
    }


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800", "\\udfff\\ud800"])
@pytest.mark.parametrize(
    "place,pointer",
    [
        (["user_id"], "/user_id"),
        (["type"], "/type"),
        (["payload", "title"], "/payload/title"),
        (["payload", "template_variables", "order_id"], "/payload/template_variables/order_id"),
        (["metadata", "trace"], "/metadata/trace"),
        (["channels_preferred", 0], "/channels_preferred/0"),
    ],
)
def test_strings_that_nothing_can_store_are_named(shop, body, bad, place, pointer):
    holder = body
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = "@@"

    response = shop.post_raw(SEND, json.dumps(body).replace("@@", bad).encode())

    assert response.status_code == 422
    assert pointers(response)[pointer] == "invalid_string"


def test_names_that_nothing_can_store_are_named(shop, body):
    body["metadata"] = {"@@": 1}

    response = shop.post_raw(SEND, json.dumps(body).replace("@@", "\\u0000\\ud800").encode())

    assert pointers(response) == {"/metadata/\\u0000\\ud800": "invalid_string"}


def test_a_whole_surrogate_pair_is_a_character(shop, body):
    body["payload"]["title"] = "@@"
    response = shop.post_raw(SEND, json.dumps(body).replace("@@", "\\ud83d\\ude00").encode())

    assert response.status_code == 202
    Notification.objects.all().delete()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"nope",
        b"\xff\xfe",
        b'{"user_id": "\xff"}',
        b'{"user_id": "a\x00b"}',
        b'{"user_id": NaN}',
        b'{"metadata": {"n": Infinity}}',
        b'{"metadata": {"n": 1e999}}',
        b'{"metadata": {"n": ' + b"9" * 5000 + b"}}",
        b'{"user_id": "a", "user_id": "b"}',
        b"[" * 100_000,
        b'{"metadata":' * 500 + b"1" + b"}" * 500,
        b"\xef\xbb\xbf{}",
        b"{}{}",
    ],
)
def test_what_is_not_json_is_400(shop, raw):
    response = shop.post_raw(SEND, raw)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_json")


def test_a_body_over_a_mebibyte_is_413(shop, body):
    body["metadata"] = {"x": "y" * (1 << 20)}

    response = shop.send(body)

    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_payload_over_64_kib_is_named(shop, body):
    body["payload"]["body"] = "y" * (64 << 10)

    assert pointers(shop.send(body)) == {"/payload": "too_large"}


@pytest.mark.parametrize(
    "field,value", [("user_id", "u" * 256), ("type", "T" * 101), ("locale", "x" * 36), ("user_id", "")]
)
def test_lengths_are_kept(shop, body, field, value):
    assert set(pointers(shop.send(body | {field: value}))) == {f"/{field}"}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=utf-16"]
)
def test_only_json_is_taken(shop, content_type):
    response = shop.post_raw(SEND, b"{}", content_type)

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic eDp5",
        "Bearer crl_live_aaaaaaaa_wrong",
        "Bearer crl_live_\u00e9\u00e9_x",
        "Bearer " + "x" * 5000,
    ],
)
def test_a_wrong_key_is_401_with_a_challenge(shop, body, header):
    response = shop.client.post(SEND, body, format="json", headers={"authorization": header.encode().decode("latin-1")})

    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"


def test_the_wrong_secret_of_a_right_key_is_401(shop, body):
    shop.text = shop.text[:-3] + "abc"

    assert shop.send(body).status_code == 401


def test_nul_in_a_query_or_a_path_is_no_500(shop):
    assert pointers(shop.get("/api/v1/notifications", user_id="a\0b")) == {"/user_id": "invalid_string"}
    assert shop.delete("/api/v1/keys/a%00b").status_code == 404


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["ada", "ORDER_CONFIRMATION"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    "user_id", "type", "payload", "notification_id", "channels_preferred", "priority", "timestamp", "send_at",
    "expires_at", "digest_key", "locale", "metadata", "user", "attachments",
]  # fmt: skip
PAYLOAD = st.fixed_dictionaries({}, optional=dict.fromkeys(("title", "body", "link", "template_variables"), JSON))
BODIES = JSON | st.fixed_dictionaries(
    {}, optional={name: JSON | PAYLOAD if name == "payload" else JSON for name in FIELDS} | {"zzz": JSON}
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BODIES)
def test_no_json_breaks_the_view(shop, value):
    response = shop.post_raw(SEND, json.dumps(value).encode())

    assert 400 <= response.status_code < 500
    assert response.json()["code"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_break_the_view(shop, raw):
    assert 400 <= shop.post_raw(SEND, raw).status_code < 500


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"priority": "\ud800"}, "/priority", "invalid_string"),
        ({"notification_id": "\ud800"}, "/notification_id", "invalid_string"),
        ({"send_at": "\ud800"}, "/send_at", "invalid_string"),
        ({"payload": {"\ud800": 1, "title": "x"}}, "/payload/\\ud800", "unknown_field"),
        ({"\ud800": 1}, "/\\ud800", "unknown_field"),
    ],
)
def test_half_a_surrogate_pair_breaks_nothing_wherever_it_stands(shop, body, fields, pointer, code):
    refused = shop.post_raw("/api/v1/notifications/send", json.dumps(body | fields).encode())

    assert refused.status_code == 422
    assert pointers(refused)[pointer] == code
