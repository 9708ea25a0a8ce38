"""What becomes of a message in each trouble of a service, provider by provider, as docs/providers.md says."""

import asyncio
import re
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from notifications import accounts
from notifications.providers import options
from notifications.providers.http import HTTPProvider
from tests.providers.http2_server import Http2Service
from tests.providers.http_server import Says, Service
from tests.providers.smtp_server import Server
from tests.providers.test_contract import SAYS, SETTINGS, messages

DOCS = Path(__file__).parents[2] / "docs" / "providers.md"


@dataclass(frozen=True)
class Trouble:
    """What a service does to the request that carries a message."""

    http: Says
    smtp: dict[str, Any]  # of the mail server


async def _lose(session, command):
    if command == ".":
        session.break_off()
    return command == "."


TROUBLES = {
    "cannot be reached": None,
    "answer lost": Trouble(Says(then="reset"), {"hook": _lose}),
    "out of order": Trouble(Says(503, b""), {"replies": {"MAIL": "451 4.3.0 Try later"}}),
    "too fast": Trouble(
        Says(429, b"", headers={"Retry-After": "7"}), {"replies": {"MAIL": "450 4.7.1 Too many messages"}}
    ),
    "our credentials": Trouble(Says(401, b"{}"), {"replies": {"MAIL": "530 5.7.0 Authentication required"}}),
    "this recipient": Trouble(Says(400, b"{}"), {"replies": {"RCPT": "550 5.1.1 No such user"}}),
    "address gone": Trouble(Says(410, b"{}"), {"replies": {"RCPT": "550 5.1.1 No such user"}}),
}
# Of services that say it in words of their own.
OWN_WORDS = {
    ("address gone", "apns"): Says(410, {"reason": "Unregistered", "timestamp": 1_764_000_000_000}),
    ("address gone", "fcm"): Says(404, {"error": {"status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}}),
    ("address gone", "sns"): Says(400, b"<Error><Code>OptedOut</Code></Error>"),
    ("address gone", "twilio"): Says(400, {"code": 21610, "message": "…", "status": 400}),
    ("our credentials", "apns"): Says(403, {"reason": "InvalidProviderToken"}),
    ("our credentials", "vonage"): Says(200, {"messages": [{"status": "4", "error-text": "Bad Credentials"}]}),
    ("this recipient", "vonage"): Says(200, {"messages": [{"status": "3", "error-text": "Invalid to"}]}),
    ("too fast", "vonage"): Says(200, {"messages": [{"status": "1", "error-text": "Throttled"}]}),
}


def meet(key: str, name: str) -> str:
    """Return what becomes of a message: the outcome's kind, with a dead address beside it."""

    async def run():
        cls = accounts.provider_class(key)
        async with _service(key, name) as service:
            port = 9 if TROUBLES[name] is None else service.port
            provider = cls(options.resolve(cls.Options, SETTINGS[key](port)), timeout=3)
            (outcome,) = await provider.send_many(messages(cls.channels[0], 1))
            await provider.close()
            return outcome

    outcome = asyncio.run(run())
    return f"{outcome.kind}, address disabled" if outcome.dead_address else outcome.kind


def _service(key: str, name: str) -> Any:
    trouble = TROUBLES[name]
    if not issubclass(accounts.provider_class(key), HTTPProvider) and key != "apns":
        return Server(**trouble.smtp) if trouble else Server()
    says = OWN_WORDS.get((name, key), trouble.http if trouble else Says())

    def answer(asked):
        return SAYS[key](asked) if asked.path == "/token" else says

    return Http2Service(answer) if key == "apns" else Service(answer)


def documented() -> dict[tuple[str, str], str]:
    """Return the table of the docs by provider and trouble."""
    lines = DOCS.read_text().split("## What each makes of trouble", 1)[1].split("\n## ", 1)[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line[:1] == "|"]
    return {
        (re.sub("`", "", row[0]), trouble): re.sub("`", "", said)
        for row in rows
        for trouble, said in zip(head[1:], row[1:], strict=True)
    }


@pytest.fixture(autouse=True)
def _this_machine_allowed(settings):
    settings.EGRESS_ALLOW = [ip_network("127.0.0.0/8")]


@pytest.mark.parametrize(("key", "name"), sorted(documented()))
def test_a_message_becomes_what_the_docs_say(key, name):
    assert meet(key, name) == documented()[key, name]


def test_the_docs_leave_out_no_provider_that_has_a_service():
    known = {key for key, cls in accounts.provider_classes().items() if not cls.keeps_messages}

    assert documented().keys() == {(key, name) for key in known for name in TROUBLES}
