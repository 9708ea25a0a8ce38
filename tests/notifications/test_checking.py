"""The glance at a request to send, beside the look that names every fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import checking
from notifications.known_types import KnownType
from notifications.send_body import Payload, SendBody
from templates_app import schemas
from templates_app.models import Type

SCHEMA = {"type": "object", "required": ["order_id"]}
KNOWN = KnownType(Type(key="ORDER", schema=SCHEMA), schemas.validator(SCHEMA))
SOUND = {
    "user_id": "ada",
    "type": "ORDER",
    "payload": {"title": "Hello", "link": "https://example.com/a?b#c", "template_variables": {"order_id": 1}},
    "channels_preferred": ["email", "sms"],
    "metadata": {"trace": "x"},
    "locale": "de-DE",
    "timestamp": "2026-11-21T18:05:00Z",
}


def body(**fields):
    return checking.understood(SOUND | fields, SendBody, SendBody)[0]


def test_what_has_no_fault_is_sound():
    assert checking.is_sound(body(), KNOWN)
    assert checking.is_sound(body(locale=None), KNOWN)


@pytest.mark.parametrize(
    "fields",
    [
        {"channels_preferred": ["email", "pigeon"]},
        {"digest_key": "k"},
        {"locale": "no locale"},
        {"metadata": {"x": "x" * checking.MAX_METADATA_BYTES}},
        {"timestamp": "1812-01-01T00:00:00Z"},
        {"payload": SOUND["payload"] | {"link": "javascript:alert(1)"}},
        {"payload": SOUND["payload"] | {"body": "x" * checking.MAX_PAYLOAD_BYTES}},
        {"payload": SOUND["payload"] | {"template_variables": {}}},
        {"payload": {"template_variables": {"order_id": 1}}},
        # Those that a glance cannot judge:
        {"send_at": "2026-11-21T18:05:00Z"},
        {"expires_at": "2026-11-21T18:05:00Z"},
        {"user": {"name": "Ada"}},
        {"attachments": [{"url": "https://example.com/a.pdf"}]},
    ],
)
@pytest.mark.parametrize("locale", ["de", None])
def test_what_has_one_is_not(fields, locale):
    assert not checking.is_sound(body(**({"locale": locale} | fields)), KNOWN)


@given(st.from_regex(checking._ORDINARY_LINK, fullmatch=True))
def test_a_link_that_is_ordinary_at_a_glance_has_no_fault(link):
    assert not list(checking.of_payload(Payload(link=link), None))
