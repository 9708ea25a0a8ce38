"""Handing mails to a mail server: `python -m tests.benchmarks.smtp`.

Our provider as a worker calls it (`send_many`, a hundred mails at a time, building included), our provider with ready
bytes, a raw writer that pipelines as far as RFC 2920 allows, and smtplib in lock-step, each in one process. Then a
relay whose answers take 10 ms, over 64 connections of two processes. The ledger: each recipient got each mail once.
ROUNDS (5); BENCH=quick: 3. Postfix's smtp-sink is taken beside our own sink where it is installed.
"""

import asyncio
import gc
import multiprocessing
import os
import shutil
import smtplib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

from notifications.mail import Mail  # noqa: E402
from notifications.providers.base import Message  # noqa: E402
from notifications.providers.smtp import SMTP, SMTPOptions  # noqa: E402
from tests.benchmarks import sink as our_sink  # noqa: E402
from tests.benchmarks.harness import Measured, Part, Ratio, interleaved, must_equal, ratio, stopwatch, tell  # noqa: E402
from tests.benchmarks.mime import SENDER, message  # noqa: E402
from tests.benchmarks.peers import raw_smtp  # noqa: E402
from tests.server import free_port  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", 3 if os.environ.get("BENCH") == "quick" else 5))
COUNT, CONNECTIONS, FLUSH = 3000, 8, 100
FAR_COUNT, FAR_CONNECTIONS, FAR_PROCESSES, FAR_MS = 8000, 64, 2, 10.0
FAR_FLUSHES = (100, 1000)  # mails of one send_many: connections that have nothing to carry do not help
MESSAGES = [message(number) for number in range(FAR_COUNT)]


class Ready(SMTP):
    """Our provider with a mail that is built already: what is left is SMTP alone."""

    def _build(self, message: Message) -> Mail:
        return Mail("shop@example.com", message.to, str(message.delivery_id), raw_smtp.CONTENT, utf8=False)


def measure() -> Part:
    part = Part("smtp", "Handing mails to a mail server")
    part.facts["sink"] = our_sink.NAME
    gc.freeze()  # Django itself is walked through by no collection: that is not what is measured
    sink = our_sink.Sink()
    try:
        cases = _cases(sink.port)
        for name, send in cases.items():
            sink.reset()
            send()
            must_equal(sent=COUNT, taken=sink.messages, differing=COUNT + sink.differing([1] * COUNT))
            tell(f"{name}: the books agree")
        SPENT.clear()
        found = interleaved(cases, ROUNDS)
    finally:
        sink.close()
    spent = {name: Measured(f"{name}: processor time of a mail", "µs", list(taken)) for name, taken in SPENT.items()}
    part.measured = [*found.values(), *spent.values()]
    raw, lock_step = "raw writer, pipelined", "smtplib, lock-step"
    part.ratios = [
        ratio("Carillon, ready bytes, of a raw writer", found["Carillon, ready bytes"], found[raw], must=0.3, aim=0.5),
        ratio("Carillon, mails built and all, of smtplib", found["Carillon"], found[lock_step], must=1.0, aim=1.5),
        Ratio(
            "SMTP's part of a mail's processor time",
            spent["Carillon, ready bytes"].per_round,
            "µs",
            must=40,
            aim=30,
            less_is_better=True,
        ),
    ]
    part.measured += [*_into_smtp_sink(), *[_far_away(flush) for flush in FAR_FLUSHES]]
    part.facts["relay"] = f"{FAR_PROCESSES} processes, our own sink answering {FAR_MS:.0f} ms late"
    return part


SPENT: dict[str, list[float]] = {}


def _cases(port: int) -> dict[str, Callable[[], float]]:
    sends: dict[str, Callable[[], object]] = {
        "Carillon": partial(_ours, SMTP, port),
        "Carillon, ready bytes": partial(_ours, Ready, port),
        "raw writer, pipelined": partial(raw_smtp.send, port, range(COUNT), _NoBarrier()),
        "smtplib, lock-step": partial(_lock_step, port),
    }
    return {name: partial(_rate, send, name) for name, send in sends.items()}


def _rate(send: Callable[[], object], name: str = "", count: int = COUNT) -> float:
    """Return mails a second; note what they cost this process, the sink's part left out."""
    before = time.process_time()
    with stopwatch() as seconds:
        send()
        taken = seconds()
    SPENT.setdefault(name, []).append((time.process_time() - before) / count * 1e6)
    return count / taken


def _ours(
    provider: type[SMTP],
    port: int,
    connections: int = CONNECTIONS,
    messages: Sequence[Message] = MESSAGES[:COUNT],
    flush: int = FLUSH,
) -> None:
    asyncio.run(_send(provider, port, connections, messages, flush))


async def _send(provider: type[SMTP], port: int, connections: int, messages: Sequence[Message], flush: int) -> None:
    options = SMTPOptions(host="127.0.0.1", port=port, security="none", from_=SENDER, connections=connections)
    sending = provider(options, timeout=30)
    for start in range(0, len(messages), flush):
        outcomes = await sending.send_many(messages[start : start + flush])
        assert all(outcome.kind == "accepted" for outcome in outcomes), outcomes
    await sending.close()


class _NoBarrier:
    def wait(self) -> None:
        return None


def _lock_step(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        for number in range(COUNT):
            client.sendmail("shop@example.com", [f"p{number}@example.com"], raw_smtp.CONTENT)


def _into_smtp_sink() -> list[Measured]:
    with _smtp_sink() as port:
        if port is None:
            return []
        cases = {f"{name} (smtp-sink)": send for name, send in _cases(port).items()}
        return list(interleaved(cases, min(ROUNDS, 3)).values())


@contextmanager
def _smtp_sink() -> Iterator[int | None]:
    path = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        yield None
        return
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([path, *user, "-c", f"127.0.0.1:{port}", "1024"], stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _far_away(flush: int) -> Measured:
    """A relay 10 ms away. Each process has half of the people and half of the connections."""
    found = Measured(f"Carillon, relay {FAR_MS:.0f} ms away, {FAR_CONNECTIONS} connections, {flush} at a time", "/s")
    sink = our_sink.Sink(delay_ms=FAR_MS)
    try:
        for _ in range(min(ROUNDS, 3)):
            sink.reset()
            found.per_round.append(_rate(partial(_in_processes, sink.port, flush), count=FAR_COUNT))
            must_equal(sent=FAR_COUNT, taken=sink.messages, differing=FAR_COUNT + sink.differing([1] * FAR_COUNT))
            tell(f"{found.name}: {found.per_round[-1]:,.0f} /s")
    finally:
        sink.close()
    return found


def _in_processes(port: int, flush: int) -> None:
    share, context = FAR_COUNT // FAR_PROCESSES, multiprocessing.get_context("fork")
    shares = [MESSAGES[number * share : (number + 1) * share] for number in range(FAR_PROCESSES)]
    each = partial(_ours, SMTP, port, FAR_CONNECTIONS // FAR_PROCESSES, flush=flush)
    processes = [context.Process(target=each, args=(share,)) for share in shares]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


def _show(part: Part) -> str:
    lines = [f"{each.name:62} {each.median:10,.1f} {each.unit}" for each in part.measured]
    lines += [f"{each.name:62} {each.median:10,.2f} {each.unit} {each.met}" for each in part.ratios]
    return "\n".join([f"sink: {part.facts['sink']}", *lines])


if __name__ == "__main__":
    print(_show(measure()))
