from datetime import timedelta
from typing import Any

import pytest

from notifications import accounts, broadcasts, fanout, leases
from notifications.models import Broadcast, Caller, Delivery
from notifications.plans import Written
from notifications.providers.base import Outcome
from preferences.models import ContactPoint, User
from project.foundation import clock
from project.foundation.encryption import blind_index
from templates_app.models import Type
from tests.notifications.api.conftest import service
from tests.notifications.troubled import account


def crowd(size: int, **fields: Any) -> list[User]:
    """Make people with a mail address each, quickly."""
    rows = [User(user_id=f"user-{n:05}", password="!", **fields) for n in range(size)]
    people = User.objects.bulk_create(rows)
    ContactPoint.objects.bulk_create(
        ContactPoint(
            user=user,
            channel="email",
            address=f"{user.user_id}@example.com",
            address_index=blind_index("email", f"{user.user_id}@example.com"),
        )
        for user in people
    )
    return people


def broadcast_to(audience: dict[str, Any], type_: Type, **fields: Any) -> Broadcast:
    """Accept one broadcast as the API would."""
    payload = {"title": "Hello", "body": "To all of you.", "link": "", "template_variables": {}}
    request = broadcasts.Request(type=type_, payload=payload, audience=audience, **fields)
    return broadcasts.accept(request, actor="test").broadcast


def step() -> int:
    """Move every broadcast by a step, and leave to others what is due of it; return how many rows were moved."""
    moved = 0
    for each in fanout.steps():
        moved += each.moved
        for written in each.written:
            leases.release(Delivery, written.claim.token)
    return moved


def taken_up(by_mail: Type, count: int = 6) -> Written:
    """Return what a process holds once it has planned a broadcast's people."""
    crowd(count)
    broadcast_to({"all": True}, by_mail)
    (written,) = [each for _ in range(3) for step in fanout.steps() for each in step.written]
    return written


def written_without_plans() -> None:
    """Write the notifications of the next people as after a planner that did not live to do it with their plans."""
    while Broadcast.objects.filter(total=None).exists():
        step()
    Broadcast.objects.update(planning_since=clock.now() - timedelta(minutes=1))
    step()


@pytest.fixture
def shop(caller):
    return service(caller)


@pytest.fixture
def shop_testing(caller):
    return service(caller, "test")


@pytest.fixture
def stranger(db):
    return service(Caller.objects.create(key="stranger", name="Stranger"))


@pytest.fixture
def small_claims(settings):
    """Chunks of four and a look-ahead of eight, so that a few people are many chunks."""
    settings.CLAIM_SIZE = 4
    settings.FLUSH_SIZE = 2
    settings.BROADCAST_LOOK_AHEAD = 8


@pytest.fixture
def sent(monkeypatch):
    """The addresses that were sent to, by an account that accepts at once."""
    account("mail")
    found = []

    def send(account, messages):
        found.extend(message.to for message in messages)
        return [Outcome.accepted(str(len(found)))] * len(messages)

    monkeypatch.setattr(accounts, "send", send)
    return found
