"""Whatever is sent, the short way through POST /notifications/send answers as the long one does, or leaves it to that.

The bodies are an ordinary one with up to three things done to it. Every one goes both ways, with keys of the two modes
so that neither is a repeat of the other; then again, as a repeat.
"""

import json
import random
from contextlib import nullcontext
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone

from notifications.api import short_send
from notifications.models import Notification
from preferences.models import User
from tests.notifications.api.conftest import service

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="one statement is PostgreSQL's"),
]
ROUNDS = 150
PATH = "/api/v1/notifications/send"
_ABSENT = object()
_FIELDS = (
    *("user_id", "type", "payload", "notification_id", "channels_preferred", "priority", "timestamp", "send_at"),
    *("expires_at", "locale", "metadata", "user", "digest_key", "attachments", "unknown", "mode", "id", "caller_id"),
)
_PAYLOAD = ("title", "body", "link", "template_variables", "unknown")
_VARIABLES = ("order_id", "customer_name", "user", "unknown")
_DEEP = json.loads("[" * 61 + "]" * 61)
_VALUES = (
    *(
        None,
        True,
        0,
        -1,
        1.5,
        2**63,
        2**70,
        1e308,
        "",
        " ",
        "ada",
        "ADA",
        "ada ",
        "ghost",
        "boss",
        "bob",
        "gone",
        "x" * 300,
    ),
    *(
        "\x00",
        "a\x00b",
        "\ud800",
        "\udc00\ud800",
        "\U0001f600",
        "ß",
        "\u202e",
        "\n",
        "'; --",
        "%s",
        "%(id)s",
        "{{ 1 }}",
    ),
    *(
        [],
        {},
        [None],
        ["email"],
        ["email", "email"],
        ["carrier pigeon"],
        ["sms"] * 21,
        [["email"]],
        {"": ""},
        {"\x00": 1},
    ),
    *(
        {"a": {"b": [1, 2]}},
        {"email": "eve@example.com"},
        {"email": None},
        {"is_staff": True},
        _DEEP,
        {"x": "y" * 70_000},
    ),
    *(
        "HIGH",
        "LOW",
        "high",
        "URGENT",
        "de",
        "de_AT",
        "zz-ZZ-x-private",
        "-",
        "ORDER_CONFIRMATION",
        "order_confirmation",
    ),
    *("018f8a50-0000-7000-8000-000000000001", "018F8A50000070008000000000000001", "{018f8a50}", "not a uuid"),
    *("2026-11-21T18:05:00Z", "2026-11-21T18:05:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1970-01-01"),
    *("2026-11-21T18:05:00.123456789+14:00", "2999-12-31T23:59:59-12:00", "1970-01-01T00:00:00+14:00"),
    *(
        "https://example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://",
        "https://[::1",
        "//x",
        "https://a b",
    ),
)
_RAW = (
    lambda text: text.replace("{", '{"user_id": "bob", ', 1),  # a name twice
    lambda text: text.replace('"user_id"', '"user\\u005fid"', 1),
    lambda text: text.replace(":", "\\u003a", 1),
    lambda text: text + " ",
    lambda text: text + "x",
    lambda text: text[:-1],
    lambda text: "\ufeff" + text,
    lambda text: text.replace('"ada"', "NaN", 1),
    lambda text: text.replace('"ada"', "1e999", 1),
    lambda text: text.replace('"ada"', "9" * 5000, 1),
    lambda text: f"[{text}]",
    lambda text: "",
    lambda text: "null",
    lambda text: text.replace('"ada"', '"ad\\ud800"', 1),
)
_HEADERS = (
    {},
    {"Idempotency_Key": "k1"},
    {"Idempotency_Key": "é"},
    {"Idempotency_Key": ""},
    {"Idempotency_Key": " "},
    {"Idempotency_Key": "k" * 256},
    {"Accept": "text/html"},
    {"Accept": "image/png"},
    {"Content_Encoding": "gzip"},
    {"X_HTTP_Method_Override": "DELETE"},
    {"Accept_Language": "de"},
    {"Cookie": "sessionid=x"},
)
_TYPES = ("application/json",) * 8 + ("application/json; charset=latin-1", "text/plain", "", "application/x+json")


@pytest.fixture(autouse=True)
def _people(ada, bob, typed):
    User.objects.create(user_id="boss", is_staff=True)
    User.objects.create(user_id="gone", erased_at=timezone.now())


def test_both_ways_judge_any_request_alike(caller, body):
    both = {True: service(caller), False: service(caller, "test")}
    dice = random.Random(20_26_11)
    seen = set()
    for number in range(ROUNDS):
        raw, type, headers = _request(dice, body)
        for _ in range(2):
            short, long = (_answer(both[way], way, raw, type, headers) for way in (True, False))
            assert short == long, (number, raw[:500], type, headers)
            seen.add(short[0])
        Notification.objects.all().delete()

    assert {202, 400, 415, 422} <= seen


@pytest.mark.parametrize("fields", [{"scopes": ["read"]}, {"rate_limit": "1/d"}, {"expires_at": timezone.now()}])
def test_both_ways_refuse_a_key_alike(caller, body, fields):
    answers = []
    for way in (True, False):
        key = service(caller, **fields)
        answers.append([_answer(key, way, json.dumps(body).encode(), "application/json", {}) for _ in range(2)])
        Notification.objects.all().delete()

    assert answers[0] == answers[1]
    assert answers[0][1][0] in {401, 403, 429}


def _request(dice, body):
    made = json.loads(json.dumps(body))
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        place, names = dice.choice(((made, _FIELDS), (made.get("payload"), _PAYLOAD), (_variables(made), _VARIABLES)))
        if not isinstance(place, dict):
            continue
        value = dice.choice((_ABSENT, *_VALUES))
        name = dice.choice(names)
        if value is _ABSENT:
            place.pop(name, None)
        else:
            place[name] = value
    text = json.dumps(made, ensure_ascii=dice.random() < 0.7)
    if dice.random() < 0.2:
        text = dice.choice(_RAW)(text)
    headers = dice.choice(_HEADERS) if dice.random() < 0.4 else {}
    return text.encode(errors="surrogatepass"), dice.choice(_TYPES), headers


def _variables(made):
    payload = made.get("payload")
    return payload.get("template_variables") if isinstance(payload, dict) else None


def _answer(key, short, raw, type, headers):
    """Return what tells two answers apart: the status, the faults, and of whom and what was stored."""
    ways = nullcontext() if short else mock.patch.object(short_send, "answer", lambda request: None)
    with ways:
        answer = key.post_raw(PATH, raw, type, **headers)
    said = answer.json()
    faults = [(fault["pointer"], fault["code"], fault["message"]) for fault in said.get("errors", [])]
    mode = "live" if key.text.startswith("crl_live") else "test"
    stored = [
        (row.user_id, row.type_id, row.priority, row.lane, row.locale, row.payload, row.metadata, row.occurred_at)
        for row in Notification.objects.filter(mode=mode).order_by("id")
    ]
    replayed = answer.headers.get("Idempotent-Replayed")
    return answer.status_code, said.get("code"), faults, replayed, said.get("mode", mode) == mode, stored
