"""What a hung provider does to another channel: `python -m tests.benchmarks.hung`.

Real workers on PostgreSQL and Redis. Urgent mails go one after the other to a stand-in, while texts wait for another:
now it answers, now it takes requests and never answers. Prints the percentiles of the mails from acceptance to the
stand-in, and the ratio: medians of ROUNDS (3) of each, taking turns. MAILS (150) and TEXTS (3,000) in each part
(BENCH=quick: 20 and 300), WORKERS (2) of CONCURRENCY (2) processes.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from uuid import uuid4

from tests.benchmarks import scratch

MAILS = int(os.environ.get("MAILS", 20 if scratch.QUICK else 150))
TEXTS = int(os.environ.get("TEXTS", 300 if scratch.QUICK else 3_000))
ROUNDS = int(os.environ.get("ROUNDS", 3))
WORKERS, CONCURRENCY = int(os.environ.get("WORKERS", 2)), os.environ.get("CONCURRENCY", "2")
HANGS = False


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Twilio's API, as far as it goes."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            if HANGS:
                await asyncio.sleep(3600)
            body = b'{"sid": "SM%s", "status": "queued"}' % uuid4().hex.encode()
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


def measure() -> dict[str, float]:
    """Return {"p50", "p95", "hung_p50", "hung_p95", "hung_worst"} in seconds."""
    with scratch.database("hung") as url:
        os.environ |= scratch.carillon(url)
        import django

        django.setup()
        return _measure()


def _measure() -> dict[str, float]:
    global HANGS
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from notifications import acceptance
    from notifications.models import AccountState, Delivery, Lane, Notification, ProviderAccount
    from preferences.models import Category, ContactPoint, User
    from project.foundation import bulk, ids
    from project.foundation.encryption import blind_index
    from templates_app.models import Type
    from tests.faults.background import Background
    from tests.faults.sinks import MailSink

    call_command("migrate", verbosity=0)
    background = Background()
    sink = MailSink(background)
    texts = background.run(asyncio.start_server(_serve, "127.0.0.1", 0))
    port = texts.sockets[0].getsockname()[1]
    mail = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from": "shop@example.com"}
    ProviderAccount.objects.create(name="mail", provider="smtp", channel="email", options=mail)
    text = {
        "account_sid": "AC" + "0" * 32,
        "auth_token": "t",
        "from": "+4930999999",
        "base_url": f"http://127.0.0.1:{port}",
    }
    ProviderAccount.objects.create(name="texts", provider="twilio", channel="sms", options=text)
    category = Category.objects.create(key="orders", name="Orders", default_channels={"in_app": False})
    type_ = Type.objects.create(key="ORDER_SHIPPED", name="Order shipped", category=category)
    user = User.objects.create(user_id="ada", name="Ada")
    for channel, address in (("email", "ada@example.com"), ("sms", "+493012345678")):
        ContactPoint.objects.create(
            user=user, channel=channel, address=address, address_index=blind_index(channel, address)
        )
    payload = {"title": "Hello", "body": "It works.", "link": "", "template_variables": {}}

    def wait_for_texts() -> None:
        rows = [
            Notification(
                id=ids.new_id(),
                mode="live",
                user=user,
                type=type_,
                priority="MEDIUM",
                lane=Lane.NORMAL,
                payload=payload,
                channels_preferred=["sms"],
                due_at=timezone.now(),
            )
            for _ in range(TEXTS)
        ]
        bulk.insert(rows)

    def mails(part: str) -> list[float]:
        found = []
        for number in range(MAILS):
            title, started = f"{part} {number}", time.monotonic()
            request = acceptance.Request(
                user=user, type=type_, priority="HIGH", channels_preferred=["email"], payload=payload | {"title": title}
            )
            acceptance.accept(request)
            while not (calls := [call for call in sink.calls[-3:] if call.subject == title]):
                time.sleep(0.005)
            found.append(calls[0].at - started)
            time.sleep(0.1)
        return sorted(found)

    command = [sys.executable, "manage.py", "worker", "--concurrency", CONCURRENCY, "--log-level", "ERROR"]
    workers = [subprocess.Popen([*command, "--name", f"hung{n}-{uuid4()}@%h"]) for n in range(WORKERS)]

    def forget_texts() -> None:
        """Begin anew: no text waits, none is under way, and nothing is held against the account."""
        Notification.objects.filter(due_at__isnull=False).delete()
        Delivery.objects.filter(channel="sms").delete()
        time.sleep(settings.PROVIDER_TIMEOUT_SECONDS + 2 if HANGS else 2)
        Delivery.objects.filter(channel="sms").delete()
        AccountState.objects.all().delete()

    healthy: list[list[float]] = []
    hung: list[list[float]] = []
    try:
        mails("warm")
        for number in range(ROUNDS):
            for found, HANGS in ((healthy, False), (hung, True)):
                wait_for_texts()
                found.append(mails(f"{number} {HANGS}"))
                forget_texts()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        sink.close()

    def at(rounds: list[list[float]], share: float) -> float:
        return statistics.median(values[int(len(values) * share)] for values in rounds)

    return {
        "p50": at(healthy, 0.5),
        "p95": at(healthy, 0.95),
        "hung_p50": at(hung, 0.5),
        "hung_p95": at(hung, 0.95),
        "hung_worst": max(values[-1] for values in hung),
    }


if __name__ == "__main__":
    found = measure()
    print(", ".join(f"{name} {seconds:.3f} s" for name, seconds in found.items()))
    print(f"p95 with a hung provider: {found['hung_p95'] / found['p95']:.2f} × without, medians of {ROUNDS} rounds")
