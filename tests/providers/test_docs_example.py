"""The providers that docs/providers.md builds are run as they stand there."""

import asyncio
import json
import re
from pathlib import Path
from uuid import UUID

import pytest

from notifications.providers import options
from notifications.providers.base import Message, Outcome
from notifications.providers.smtp import SMTPOptions
from tests.providers.http_server import Says, Service

DOCS = Path(__file__).parents[2] / "docs" / "providers.md"


def documented(name):
    for source in re.findall(r"```python\n(.*?)```", DOCS.read_text(), flags=re.DOTALL):
        namespace = {"__name__": "docs_example"}
        exec(compile(source, str(DOCS), "exec", dont_inherit=True), namespace)
        if name in namespace:
            return namespace[name]
    raise LookupError(name)


@pytest.fixture(scope="module")
def gateway():
    return documented("Gateway")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("OK m-17", "accepted"),
        ("BUSY 30", "transient"),
        ("NO such number", "recipient"),
        ("DENIED", "account"),
        (None, "unknown"),
    ],
)
def test_the_documented_provider_works(gateway, answer, kind):
    heard = []

    async def serve(reader, writer):
        heard.append(json.loads(await reader.readline()))
        if answer is not None:
            writer.write(f"{answer}\n".encode())
        writer.close()

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        stored = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "token": "t0ken"}
        provider = gateway(options.resolve(gateway.Options, stored), timeout=2)
        message = Message(UUID(int=1), "sms", "+4930123", {"text": "Hello."})
        outcomes = await provider.send_many([message])
        server.close()
        return outcomes

    (outcome,) = asyncio.run(run())

    assert outcome.kind == kind
    assert heard == [{"to": "+4930123", "text": "Hello.", "id": str(UUID(int=1)), "token": "t0ken"}]


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        (Says(201, {"id": "p-17"}), Outcome.accepted("p-17")),
        (Says(409, {"id": "p-17"}), Outcome.accepted("p-17")),
        (Says(423, {"code": "unpaid"}), Outcome.account("Pigeon answered 423: unpaid")),
        (Says(503), Outcome.transient("Pigeon answered 503.")),
        (
            Says(400, {"code": "number_unassigned"}),
            Outcome.recipient("Pigeon: the number is not in use.", dead_address="unassigned"),
        ),
    ],
)
def test_the_documented_http_provider_works(says, outcome):
    async def run():
        async with Service(says) as service:
            pigeon = documented("Pigeon")
            stored = {"base_url": service.url, "api_key": "k3y"}
            provider = pigeon(options.resolve(pigeon.Options, stored), timeout=2)
            outcomes = await provider.send_many([Message(UUID(int=1), "sms", "+4930123", {"text": "Hello."})])
            await provider.close()
            return outcomes, service.asked

    (found,), (asked,) = asyncio.run(run())

    assert found == outcome
    assert (asked.path, asked.json) == ("/v1/messages", {"to": "+4930123", "text": "Hello."})
    assert asked.headers["authorization"] == "Bearer k3y"
    assert asked.headers["idempotency-key"] == str(UUID(int=1))


def test_every_option_of_smtp_is_documented():
    from_docs = set(re.findall(r"`(\w+)`", DOCS.read_text()))

    assert options.describe(SMTPOptions).keys() <= from_docs
