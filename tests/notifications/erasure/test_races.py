"""Erasing people while workers plan and send: after the commit nothing leaves but what a provider already had."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from notifications import accounts, rounds
from notifications.models import Delivery, InboxItem, Notification, OutboxMessage
from notifications.providers.base import Outcome
from preferences import addresses, consent, erasure
from preferences.models import ConsentRecord, ContactPoint, Preference, Suppression, User
from project.foundation import clock
from tests.notifications.broadcasts.conftest import broadcast_to, crowd
from tests.notifications.conftest import person
from tests.notifications.given import accepted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("outbox_accounts")]


@pytest.fixture(autouse=True)
def _races():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is no race to lose")


class Provider:
    """Notes who was sent to and when each call began; calls take a while."""

    def __init__(self, seconds):
        self.seconds, self.lock = seconds, threading.Lock()
        self.began = {}

    def began_for(self, user):
        return self.began.get(f"{user.user_id}@example.com", [])

    def send(self, account, messages):
        with self.lock:
            now = time.monotonic()
            for message in messages:
                self.began.setdefault(message.to, []).append(now)
        time.sleep(self.seconds)
        return [Outcome.accepted()] * len(messages)


@pytest.fixture
def provider(monkeypatch):
    found = Provider(0.01)
    monkeypatch.setattr(accounts, "send", found.send)
    return found


def in_threads(*acts):
    def run(act):
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(run, act) for act in acts]]


def sweeping(until):
    def act():
        while not until.is_set():
            rounds.sweep()

    return act


def erasing(people, committed, over=None):
    def act():
        for user in people:
            time.sleep(random.uniform(0, 0.02))
            erasure.erase(user, actor="test")
            committed[user.pk] = time.monotonic()
        if over is not None:
            time.sleep(0.3)
            over.set()

    return act


def test_a_running_broadcast_sends_nothing_to_who_was_erased(by_mail, settings, provider):
    settings.CLAIM_SIZE, settings.FLUSH_SIZE, settings.BROADCAST_LOOK_AHEAD = 20, 7, 40
    people = crowd(200)
    broadcast = broadcast_to({"user_ids": [user.user_id for user in people]}, by_mail)
    leaving = random.sample(people, 60)
    committed, over = {}, threading.Event()

    in_threads(
        sweeping(over), sweeping(over), erasing(leaving[::2], committed), erasing(leaving[1::2], committed, over)
    )
    while rounds.sweep():
        continue

    for user in leaving:
        # Between putting a try on record and calling its provider lies a moment.
        assert all(began < committed[user.pk] + 1 for began in provider.began_for(user))
        assert len(provider.began_for(user)) == states([user]).count(("sent", ""))
    staying = [user for user in people if user not in leaving]
    assert all(len(provider.began_for(user)) == 1 for user in staying)
    broadcast.refresh_from_db()
    assert broadcast.status == "completed" and Notification.objects.count() == 200
    assert {status for status, _ in states(leaving)} <= {"sent", "cancelled"}
    assert {reason for status, reason in states(leaving) if status == "cancelled"} <= {"erased"}
    assert set(states(staying)) == {("sent", "")}


def states(people):
    of_them = Delivery.objects.filter(user_id__in=[user.pk for user in people])
    return list(of_them.values_list("status", "reason"))


def test_what_a_provider_has_is_told_as_it_ended_and_what_a_worker_holds_is_not_sent(
    order_confirmation, settings, monkeypatch
):
    settings.FLUSH_SIZE = 1
    ada = person("ada")
    for _ in range(2):
        accepted(ada, order_confirmation, channels_preferred=["email"])
    asked, erased = threading.Event(), threading.Event()
    calls = []

    def send(account, messages):
        calls.extend(messages)
        asked.set()
        erased.wait(10)
        return [Outcome.accepted("m-1")] * len(messages)

    monkeypatch.setattr(accounts, "send", send)

    def erase_meanwhile():
        assert asked.wait(10)
        erasure.erase(ada, actor="test")
        erased.set()

    in_threads(rounds.sweep, erase_meanwhile)
    while rounds.sweep():
        continue

    assert len(calls) == 1
    assert sorted(states([ada])) == [("cancelled", "erased"), ("sent", "")]
    assert not ContactPoint.objects.filter(user=ada).exists()


def test_a_claimed_delivery_that_has_not_begun_is_not_sent(order_confirmation, monkeypatch, provider):
    ada = person("ada")
    accepted(ada, order_confirmation, channels_preferred=["email"])
    cleared, erased = threading.Event(), threading.Event()
    sort = rounds.delivery.clearance.sort

    def slowly(*given):
        found = sort(*given)
        cleared.set()
        erased.wait(10)
        return found

    monkeypatch.setattr(rounds.delivery.clearance, "sort", slowly)

    def erase_meanwhile():
        assert cleared.wait(10)
        erasure.erase(ada, actor="test")
        erased.set()

    in_threads(rounds.sweep, erase_meanwhile)

    assert provider.began == {} and states([ada]) == [("cancelled", "erased")]


def test_whatever_else_goes_on_nothing_of_them_is_left_in_the_end(
    order_confirmation, settings, provider, outbox_accounts
):
    settings.CLAIM_SIZE = settings.FLUSH_SIZE = 5
    people = [person(f"user-{n}") for n in range(24)]
    committed, over = {}, threading.Event()

    def accepting():
        for user in people * 2:
            accepted(User(pk=user.pk), order_confirmation, metadata={"mail": f"{user.user_id}@example.com"})

    def choosing():
        for user in people:
            try:
                consent.set_preference(user, channel="sms", enabled=False, source="api", actor=f"user:{user.user_id}")
            except User.DoesNotExist:
                continue

    in_threads(accepting, choosing, sweeping(over), sweeping(over), erasing(people, committed, over))
    while rounds.sweep():
        continue
    for look in erasure.LOOKS:
        assert erasure.look_again(clock.now() + look) == len(people)

    assert set(Notification.objects.values_list("payload", "metadata")) == {(None, None)}
    for model in (InboxItem, OutboxMessage, Preference, ContactPoint):
        assert not model.objects.exists()
    assert all(
        record.actor == f"user:{record.user.user_id}" for record in ConsentRecord.objects.exclude(source="erasure")
    )
    assert {name.partition("/")[0] for name in User.objects.values_list("user_id", flat=True)} == {"erased"}


def test_two_who_share_an_address_and_leave_at_once_leave_it_blocked(order_confirmation):
    pairs = [(person(f"a{n}"), person(f"b{n}")) for n in range(10)]
    for first, second in pairs:
        shared = first.contact_points.get(channel="email")
        second.contact_points.filter(channel="email").update(address=shared.address, address_index=shared.address_index)

    in_threads(erasing([first for first, _ in pairs], {}), erasing([second for _, second in pairs], {}))

    for first, second in pairs:
        assert blocked(f"{first.user_id}@example.com"), second


def blocked(address):
    indexes = addresses.indexes("email", address)
    return Suppression.objects.filter(address_index__in=indexes, reason="erased").exists()


def test_who_cannot_be_erased_for_now_stays_whole(shop, order_confirmation, monkeypatch):
    """Somebody holds what is theirs for seconds on end: nothing is done, and the caller is told to come again."""
    monkeypatch.setattr(erasure, "_TRIES", 2)
    ada = person("ada")
    accepted(ada, order_confirmation)
    held, over = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Notification.objects.select_for_update().get()
            held.set()
            assert over.wait(20)

    def ask():
        assert held.wait(20)
        try:
            return shop.delete("/api/v1/users/ada")
        finally:
            over.set()

    _, answer = in_threads(hold, ask)

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable") and answer["Retry-After"]
    ada.refresh_from_db()
    assert (ada.user_id, ada.erased_at) == ("ada", None) and ada.contact_points.count() == 2
    assert Notification.objects.get().payload
