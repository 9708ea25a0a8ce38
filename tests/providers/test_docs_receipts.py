"""The provider that docs/receipts.md builds is run as it stands there."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from notifications.providers.callbacks import Callback, NotGenuine, Receipt

DOCS = Path(__file__).parents[2] / "docs" / "receipts.md"
DELIVERY = UUID("019a9c5e-6f0e-7b1c-8c55-0f6b1f1f2a10")
EVENT = {"id": "e-1", "at": "2026-11-21T18:05:09Z", "reference": str(DELIVERY), "message": "m-1"}


@pytest.fixture(scope="module")
def gateway():
    [source] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)
    namespace = {"__name__": "docs_example"}
    exec(compile(source, str(DOCS), "exec", dont_inherit=True), namespace)
    return namespace["Gateway"](SimpleNamespace(secret="s3cret"), timeout=1)


def callback(*, secret=b"s3cret", age=0):
    seconds, body = str(int(time.time()) - age), json.dumps([EVENT]).encode()
    signature = hmac.new(secret, seconds.encode() + body, hashlib.sha256).hexdigest()
    return Callback("https://carillon.example.com/", {"x-time": seconds, "x-signature": signature}, body)


def test_it_takes_what_is_genuine_and_reads_it(gateway):
    asyncio.run(gateway.verify(callback()))

    at = datetime(2026, 11, 21, 18, 5, 9, tzinfo=UTC)
    assert gateway.read_receipts(callback()) == [
        Receipt("e-1", "delivered", at, delivery_id=DELIVERY, provider_message_id="m-1")
    ]


@pytest.mark.parametrize("forged", [callback(secret=b"other"), callback(age=600), Callback("https://x/", {}, b"")])
def test_it_refuses_what_is_not(gateway, forged):
    with pytest.raises(NotGenuine):
        asyncio.run(gateway.verify(forged))
