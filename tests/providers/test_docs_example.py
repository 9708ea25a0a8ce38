"""The provider that docs/providers.md builds is run as it stands there."""

import asyncio
import json
import re
from pathlib import Path
from uuid import UUID

import pytest

from notifications.providers import options
from notifications.providers.base import Message
from notifications.providers.smtp import SMTPOptions

DOCS = Path(__file__).parents[2] / "docs" / "providers.md"


@pytest.fixture(scope="module")
def gateway():
    (source,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)
    namespace = {"__name__": "docs_example"}
    exec(compile(source, str(DOCS), "exec", dont_inherit=True), namespace)
    return namespace["Gateway"]


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


def test_every_option_of_smtp_is_documented():
    from_docs = set(re.findall(r"`(\w+)`", DOCS.read_text()))

    assert options.describe(SMTPOptions).keys() <= from_docs
