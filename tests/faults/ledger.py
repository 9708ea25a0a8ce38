"""The promise as arithmetic: what was answered with 202 = what the stand-in has ∪ what ended with a reason."""

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.sinks import Call
from tests.faults.stack import Stack

ENDED = {"failed", "cancelled", "expired", "skipped", "unknown", "held"}


@dataclass
class Book:
    """What a caller was promised: its own word for each request, with the id it was given."""

    promised: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    broken: int = 0  # connections that broke before their answer
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, word: str, notification_id: str) -> None:
        """Keep a 202. Raises AssertionError when one request got two ids."""
        with self.lock:
            earlier = self.promised.setdefault(word, notification_id)
        assert earlier == notification_id, f"{word} was accepted twice, as {earlier} and {notification_id}"


@dataclass(frozen=True)
class Ledger:
    promised: int
    sent: int
    ended: dict[str, int]  # by status: neither at the stand-in nor lost
    lost: list[str]
    unasked: list[str]  # at the stand-in, and promised to nobody
    repeats: int  # calls beyond the first of a message
    unexplained: list[str]  # repeated though the outcome was known, or under another Message-ID
    contradictions: list[str]  # "sent" without a call, or a call for what was cancelled, expired or skipped

    @property
    def is_equal(self) -> bool:
        return not (self.lost or self.unasked or self.unexplained or self.contradictions)

    def __str__(self) -> str:
        ended = ", ".join(f"{count} {status}" for status, count in sorted(self.ended.items())) or "none"
        return (
            f"promised {self.promised} = at the provider {self.sent} + ended with a reason {sum(self.ended.values())} "
            f"({ended}); lost {len(self.lost)}, unasked {len(self.unasked)}, repeated {self.repeats} "
            f"(unexplained {len(self.unexplained)}), contradictory {len(self.contradictions)}"
        )


def close(book: Book, stack: Stack) -> Ledger:
    """Compare the caller's book, the stand-ins' logs and the database. Nothing may be due any more."""
    calls = _calls(stack)
    deliveries = _deliveries(stack)
    ended: Counter[str] = Counter()
    lost, contradictions = [], []
    for word, notification_id in book.promised.items():
        rows = deliveries.get(notification_id, [])
        statuses = {row["status"] for row in rows}
        if word in calls:
            if statuses & {"cancelled", "expired", "skipped"}:
                contradictions.append(f"{word}: {statuses}, but it was handed over")
        elif (
            rows
            and statuses <= ENDED
            and all(row["reason"] or row["error"] or row["status"] == "expired" for row in rows)
        ):
            ended.update(statuses)
        elif not rows and _ended_unplanned(stack, notification_id):
            ended.update(["unplanned"])
        else:
            lost.append(word)
            contradictions += [f"{word}: sent, but nobody has it"] if statuses & {"sent", "delivered"} else []
    return Ledger(
        promised=len(book.promised),
        sent=sum(word in calls for word in book.promised),
        ended=dict(ended),
        lost=lost,
        unasked=sorted(set(calls) - set(book.promised)),
        repeats=sum(len(each) - 1 for each in calls.values()),
        unexplained=_unexplained(calls, stack),
        contradictions=contradictions,
    )


def assert_equal(book: Book, stack: Stack, *, repeats: int | None = None) -> Ledger:
    """Check that nothing was lost and every repeat is explained; at most `repeats` of them, where given."""
    ledger = close(book, stack)
    assert ledger.is_equal, f"{ledger}\n{ledger}\n{stack.report()}"
    assert repeats is None or ledger.repeats <= repeats, f"{ledger}\n{_tries_of_repeats(stack)}\n{stack.report()}"
    return ledger


def _tries_of_repeats(stack: Stack) -> str:
    query = """SELECT delivery_id, number, outcome, error, started_at, finished_at FROM notifications_attempt
                WHERE delivery_id IN (SELECT delivery_id FROM notifications_attempt GROUP BY 1 HAVING count(*) > 1)
                ORDER BY delivery_id, number, started_at"""
    return "\n".join(str(row) for row in stack.database.rows(query))


def _calls(stack: Stack) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = defaultdict(list)
    for sink in stack.sinks:
        for call in sink.taken:
            found[call.subject].append(call)
    return found


def _deliveries(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in stack.database.rows("SELECT notification_id, status, reason, error, dead FROM notifications_delivery"):
        found[str(row["notification_id"])].append(row)
    return found


def _ended_unplanned(stack: Stack, notification_id: str) -> bool:
    query = "SELECT 1 FROM notifications_notification WHERE id = %s AND status IN ('cancelled', 'expired', 'failed')"
    return bool(stack.database.rows(query, notification_id))


def _unexplained(calls: dict[str, list[Call]], stack: Stack) -> list[str]:
    """Return what was handed over again though the outcome of the call before was known."""
    query = """SELECT earlier.delivery_id, count(*) AS n
                 FROM notifications_attempt earlier
                 JOIN notifications_attempt later
                   ON later.delivery_id = earlier.delivery_id AND later.number = earlier.number + 1
                WHERE earlier.outcome IN ('unknown', 'open') OR earlier.finished_at > later.started_at
                GROUP BY earlier.delivery_id"""
    in_doubt = {str(row["delivery_id"]): int(row["n"]) for row in stack.database.rows(query)}
    return [word for word, each in calls.items() if len(each) > 1 and not _is_explained(each, in_doubt)]


def _is_explained(calls: Sequence[Call], in_doubt: dict[str, int]) -> bool:
    (message_id, *others) = {call.message_id for call in calls}
    return not others and len(calls) - 1 <= in_doubt.get(message_id.strip("<>").partition("@")[0], 0)
