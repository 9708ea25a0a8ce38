"""Chat: the wire formats of real services, carried by our own requests and nowhere that is not allowed."""

import asyncio
import json
import logging
import time
from ipaddress import ip_network
from uuid import UUID

import apprise
import pytest
import requests

from notifications.providers.apprise import Apprise, AppriseOptions
from notifications.providers.base import Message, Outcome
from preferences.chat_services import ALLOWED
from tests.providers.http_server import Says, Service

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
TELEGRAM = "tgram://123456789:abcdefg_hijklmnop/12315544/"
TEAMS = "workflows://prod-15.westus.logic.azure.com/643e69f83c8944438d68119179a10a64/KODXIPGGCSHgtUQW/"
SECRETS = ["TIiajkdnlazkcOXrIdevi7FQ", "JHMHI8qBe7bk2ZwO5U711o3dV_js", "abcdefg_hijklmnop", "KODXIPGGCSHgtUQW"]


def message(to, text="Your order <17> is on its way & *soon* there"):
    return Message(UUID(int=17), "chat", to, {"text": text})


def send(*says, to=SLACK, count=1, timeout=5.0, text="Your order <17> is on its way"):
    """Send through a proxy that plays all services."""

    async def run():
        async with Service(*says) as service:
            provider = Apprise(AppriseOptions(base_url=service.url), timeout=timeout)
            outcomes = await provider.send_many([message(to, text)] * count)
            await provider.close()
            return outcomes, service.asked

    return asyncio.run(run())


def one(*says, **more) -> Outcome:
    ((outcome,), _) = send(*says, **more)
    return outcome


def test_slack_gets_what_its_incoming_webhooks_take():
    """Source: api.slack.com, "Sending messages using incoming webhooks"."""
    (outcome,), (asked,) = send(Says(200, b"ok"))

    assert outcome == Outcome.accepted(str(UUID(int=17)))
    assert asked.headers["host"] == "hooks.slack.com"
    assert asked.path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert "Your order" in json.dumps(asked.json)
    assert "github" not in json.dumps(asked.json), "no picture of others"


def test_discord_gets_what_its_webhooks_take():
    """Source: discord.com/developers, "Execute Webhook": 204 without a body."""
    (outcome,), (asked,) = send(Says(204), to=DISCORD)

    assert outcome.kind == "accepted"
    assert asked.headers["host"] == "discord.com"
    assert asked.path.startswith("/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js")
    assert "Your order <17> is on its way" in asked.json["content"]


def test_telegram_gets_what_its_bot_api_takes():
    """Source: core.telegram.org/bots/api#sendmessage; `<` is escaped where the text is HTML."""
    said = {"ok": True, "result": {"message_id": 7}}
    (outcome,), asked = send(Says(200, said), to=TELEGRAM)

    assert outcome.kind == "accepted"
    (posted,) = [each for each in asked if each.path.endswith("/sendMessage")]
    assert posted.headers["host"] == "api.telegram.org"
    assert posted.path == "/bot123456789:abcdefg_hijklmnop/sendMessage"
    assert str(posted.json["chat_id"]) == "12315544"
    escaped = posted.json.get("parse_mode") == "HTML"
    assert ("&lt;17&gt;" if escaped else "<17>") in posted.json["text"]


def test_teams_gets_an_adaptive_card():
    """Source: learn.microsoft.com, "Create incoming webhooks with Workflows"."""
    (outcome,), (asked,) = send(Says(202), to=TEAMS)

    assert outcome.kind == "accepted"
    assert asked.headers["host"].startswith("prod-15.westus.logic.azure.com")
    (card,) = asked.json["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "Your order" in json.dumps(card)


@pytest.mark.parametrize(
    ("status", "kind", "dead"),
    [
        (302, "transient", ""),
        (400, "recipient", ""),
        (403, "recipient", ""),
        (404, "recipient", "gone"),
        (410, "recipient", "gone"),
        (500, "transient", ""),
        (503, "transient", ""),
    ],
)
def test_each_status_has_one_meaning(status, kind, dead):
    outcome, asked = send(Says(status, b"no_service", headers={"Location": "/elsewhere"}))

    assert (outcome[0].kind, outcome[0].dead_address) == (kind, dead)
    assert len(asked) == 1


def test_too_fast_waits_as_long_as_the_service_says():
    outcome = one(Says(429, headers={"Retry-After": "30"}), to=TEAMS)

    assert (outcome.kind, outcome.retry_after) == ("transient", 30)


def test_a_service_that_says_no_in_a_yes_has_refused_it():
    assert one(
        Says(200, {"ok": False, "error": "channel_not_found"}), to="slack://xoxb-1234-1234-abc124/#nohow"
    ).kind in (
        "recipient",
        "unknown",
    )


@pytest.mark.parametrize("then", ["hang", "reset"])
def test_a_lost_answer_leaves_it_unknown_in_time(then):
    started = time.monotonic()

    assert one(Says(then=then), timeout=0.5).kind == "unknown"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("count", [1, 40])
def test_no_waiting_between_messages_is_left(count):
    started = time.monotonic()
    outcomes, _ = send(Says(204), to=DISCORD, count=count, timeout=10)

    assert {outcome.kind for outcome in outcomes} == {"accepted"}
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "dbus://",
        "syslog://",
        "rsyslog://localhost",
        "windows://",
        "macosx://",
        "gnome://",
        "mailto://user:pass@example.com",
        "mqtt://localhost/topic",
        "irc://localhost/#room",
        "xmpp://user:pass@localhost",
        "smpp://user:pass@localhost/1/2",
        "growl://localhost",
        "fcm://project@key/token?keyfile=/etc/passwd",
        "vapid://a@example.com/b@example.com?keyfile=/etc/passwd",
        "apprise://localhost/token",
        "nosuch://localhost",
        "slack://",
        "notaurl",
        SLACK + "?template=/etc/passwd",
        DISCORD + "?template=file:///etc/passwd",
        TELEGRAM + "?template=/etc/passwd",
    ],
)
def test_what_reaches_this_machine_is_refused(address):
    (outcome,), asked = send(Says(200), to=address)

    assert (outcome.kind, asked) == ("recipient", [])


@pytest.mark.parametrize(
    "address", ["json://127.0.0.1:{port}/", "jsons://127.0.0.1:{port}/", "ntfy://127.0.0.1:{port}/topic"]
)
def test_hosts_that_people_name_stand_behind_the_guard(address, settings):
    async def run():
        async with Service() as service:
            provider = Apprise(AppriseOptions(), timeout=2)
            (outcome,) = await provider.send_many([message(address.format(port=service.port))])
            await provider.close()
            return outcome, service.asked

    outcome, asked = asyncio.run(run())

    assert (outcome.kind, asked) == ("recipient", [])
    assert outcome.error.startswith("The address is not allowed.")


def test_inside_an_allowed_network_they_are_asked(settings):
    settings.EGRESS_ALLOW = [ip_network("127.0.0.0/8")]

    async def run():
        async with Service() as service:
            provider = Apprise(AppriseOptions(), timeout=2)
            (outcome,) = await provider.send_many([message(f"json://127.0.0.1:{service.port}/in")])
            await provider.close()
            return outcome, service.asked

    outcome, (asked,) = asyncio.run(run())

    assert outcome.kind == "accepted"
    assert asked.path == "/in"


def test_several_targets_of_which_some_took_it_are_in_doubt():
    channels = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#one/#two"

    assert one(Says(200, b"ok"), Says(500), to=channels).kind == "unknown"


def test_where_nobody_was_asked_nothing_was_sent():
    """Apprise calls it a success that this address of Jira names nobody."""
    (outcome,), asked = send(Says(200, b"ok"), to="jira://k")

    assert (outcome.kind, asked) == ("recipient", [])


def test_neither_errors_nor_logs_hold_an_address(caplog):
    caplog.set_level(logging.DEBUG)
    told = [one(Says(status), to=to) for status in (400, 404, 500) for to in (SLACK, DISCORD, TELEGRAM, TEAMS)]
    told += [one(Says(then="reset"), to=SLACK, timeout=1)]

    said = " ".join([outcome.error for outcome in told] + [record.getMessage() for record in caplog.records])
    assert all(outcome.error for outcome in told)
    assert [secret for secret in SECRETS if secret in said] == []


def test_requests_of_others_are_carried_by_themselves():
    async def run():
        async with Service(Says(200, b"mine")) as service:
            return await asyncio.to_thread(lambda: requests.get(service.url, timeout=2).content)

    assert asyncio.run(run()) == b"mine"


def test_every_allowed_service_is_one_that_the_library_knows():
    known = {scheme for details in apprise.Apprise().details()["schemas"] for scheme in (
        *(details["protocols"] or ()), *(details["secure_protocols"] or ())
    )}  # fmt: skip

    assert ALLOWED - known == set()
    assert len(ALLOWED) > 100
