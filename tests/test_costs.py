"""What a batch asks of PostgreSQL: counts, which no busy machine makes fail.

Statements are counted beneath the ORM, COPY among them; what begins and ends transactions is not.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from notifications import accounts, delivery, fanout, leases, planning, rounds
from notifications.models import Delivery, ProviderAccount
from notifications.providers.base import Outcome
from preferences.models import ContactPoint, User
from project.foundation import bulk
from project.foundation.encryption import blind_index
from tests.notifications.broadcasts.conftest import broadcast_to
from tests.notifications.conftest import by_mail, caller, offers, weekly_offers  # noqa: F401
from tests.notifications.given import accepted

pytestmark = pytest.mark.django_db

PLANNING = (
    8  # claim, types, people, suppressions, notifications, deliveries, events; and broadcasts, where there are any
)
PLANNING_IN_APP = 11  # and counters, what is there already, items
DELIVERING = 18
CHUNK = 24  # of a broadcast: noted, planned, written
DELIVERING_WRITTEN = 11  # a sub-batch of it by whoever planned it; a worker, whose plans are kept, needs no lock before


@pytest.fixture(autouse=True)
def postgresql_only():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite writes row by row")


@pytest.fixture
def mail(monkeypatch):
    """An account that accepts at once."""
    ProviderAccount.objects.create(name="mail", provider="smtp", channel="email", options={"host": "mail.example.com"})
    accounts.forget()
    monkeypatch.setattr(accounts, "send", lambda account, messages: [Outcome.accepted("1")] * len(messages))
    yield
    accounts.forget()


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Yield a list that fills with the statements sent."""
    sent: list[str] = []
    with monkeypatch.context() as patched:
        for name in ("execute", "executemany", "copy"):
            original = getattr(psycopg.Cursor, name)

            def counting(self, query, *args, _original=original, **kwargs):
                if not str(query).startswith(("SAVEPOINT", "RELEASE")):
                    sent.append(str(query)[:100])
                return _original(self, query, *args, **kwargs)

            patched.setattr(psycopg.Cursor, name, counting)
        yield sent


def people(count: int, prefix: str) -> list[User]:
    found = User.objects.bulk_create(User(user_id=f"{prefix}{n}", name=f"P{n}") for n in range(count))
    addresses = [(user, f"{user.user_id}@example.com") for user in found]
    ContactPoint.objects.bulk_create(
        ContactPoint(user=user, channel="email", address=to, address_index=blind_index("email", to))
        for user, to in addresses
    )
    return found


def planned(monkeypatch, type_, count, **fields) -> list[str]:
    for user in people(count, f"{len(fields)}-{count}-"):
        accepted(user, type_, **fields)
    with counted(monkeypatch) as sent:
        assert planning.plan_due() == count
    return sent


def test_a_batch_of_plans_costs_the_same_few_statements_whatever_its_size(monkeypatch, weekly_offers):  # noqa: F811
    few = planned(monkeypatch, weekly_offers, 3, channels_preferred=["email"])
    many = planned(monkeypatch, weekly_offers, 120, channels_preferred=["email"])

    assert len(few) == len(many) <= PLANNING, "\n".join(many)


def test_a_batch_with_in_app_items_costs_three_more(monkeypatch, weekly_offers):  # noqa: F811
    few, many = planned(monkeypatch, weekly_offers, 3), planned(monkeypatch, weekly_offers, 60)

    assert len(few) == len(many) <= PLANNING_IN_APP, "\n".join(many)


@pytest.mark.usefixtures("mail")
def test_a_sub_batch_of_deliveries_costs_the_same_statements_whatever_its_size(monkeypatch, weekly_offers):  # noqa: F811
    counts = []
    for size in (2, 90):
        planned(monkeypatch, weekly_offers, size, channels_preferred=["email"])
        delivery.deliver_due("sms")  # accounts are known from here on
        with counted(monkeypatch) as sent:
            assert delivery.deliver_due("email") == size
        counts.append(len(sent))

    assert counts[0] == counts[1] <= DELIVERING, "\n".join(sent)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


@pytest.mark.usefixtures("mail")
def test_a_broadcast_costs_the_same_statements_whatever_the_size_of_its_chunks(monkeypatch, by_mail, settings):  # noqa: F811
    chunks, sub_batches = [], []
    for size in (4, 60):
        settings.CLAIM_SIZE, settings.FLUSH_SIZE = 2 * size, size
        people(4 * size, f"told-{size}-")
        broadcast_to({"all": True}, by_mail)
        rounds_of(2)  # finds its people and plans the first, and all that is kept is known
        with counted(monkeypatch) as sent:
            (step,) = fanout.steps()
        chunks.append(len(sent))
        going = delivery.deliver_written(step.written[0])
        with counted(monkeypatch) as sent:
            assert next(going) == size
        sub_batches.append(len(sent))
        assert sum(going) == size
        while rounds.sweep():
            continue

    assert chunks[0] == chunks[1] <= CHUNK, chunks
    assert sub_batches[0] == sub_batches[1] <= DELIVERING_WRITTEN, "\n".join(sent)


def rounds_of(count):
    for _ in range(count):
        for step in fanout.steps():
            for written in step.written:
                for _ in delivery.deliver_written(written):
                    continue


def test_looking_whether_anything_is_due_is_few_statements(monkeypatch):
    with counted(monkeypatch) as sent:
        assert rounds.sweep() == 0

    assert len(sent) <= 5, "\n".join(sent)


def test_what_a_claim_and_a_lock_cost(monkeypatch, weekly_offers):  # noqa: F811
    for user in people(50, "claimed-"):
        accepted(user, weekly_offers)
    with counted(monkeypatch) as sent:
        claim = leases.claim(planning.Notification, limit=100)
        assert len(bulk.lock(planning.Notification, [row.id for row in claim.rows], lease=claim.token)) == 50

    assert len(sent) == 2
