from datetime import UTC, datetime, timedelta

import pytest

from notifications import dead_letters, rounds
from notifications.dead_letters import Filter
from notifications.models import Delivery, InboxItem, Notification, OutboxMessage, ProviderAccount
from notifications.providers.base import Outcome
from notifications.rate_limits import Rate
from preferences import consent
from preferences.models import ContactPoint, Preference
from project.foundation.models import AuditEvent
from tests.flow import run_until_idle
from tests.notifications.given import given_delivery
from tests.notifications.troubled import account, clock_moves, queued

pytestmark = pytest.mark.django_db


def dead(user, type_, *, channel="email", **fields):
    point = ContactPoint.objects.filter(user=user, channel=channel).first()
    fields = {"error": "451 gave up", "attempts": 8, "contact_point": point} | fields
    return given_delivery(user, type_, status="failed", channel=channel, dead=True, **fields)


def letters(**narrowed):
    return dead_letters.find(Filter(**narrowed), mode="live")


def replay(rows=None, **how):
    return dead_letters.replay(letters() if rows is None else rows, actor="staff:root", **how)


def test_they_are_found_by_channel_type_provider_error_and_time(ada, order_confirmation, weekly_offers):
    main = ProviderAccount.objects.create(name="main", provider="smtp", channel="email")
    mail = dead(ada, order_confirmation, provider_account=main)
    text = dead(ada, weekly_offers, channel="sms", error="render: no such variable")
    dead(ada, order_confirmation, mode="test")
    given_delivery(ada, order_confirmation, status="failed")

    def found(**narrowed):
        return [letter.id for letter in letters(**narrowed)]

    assert found() == [text.id, mail.id]
    assert found(channel="sms") == found(type="WEEKLY_OFFERS") == found(error="NO SUCH") == [text.id]
    assert found(provider="smtp") == found(provider="main") == [mail.id]
    assert found(created_after=datetime.now(tz=UTC) + timedelta(hours=1)) == []


@pytest.mark.usefixtures("outbox_accounts")
def test_a_dead_letter_is_sent_again_under_its_own_id(ada, order_confirmation):
    letter = dead(ada, order_confirmation)

    assert replay() == 1
    rounds.sweep()

    sent = Delivery.objects.get()
    assert (sent.id, sent.status, sent.dead, sent.attempts) == (letter.id, "sent", False, 9)
    assert OutboxMessage.objects.get().delivery_id == letter.id
    sent.notification.refresh_from_db()
    assert sent.notification.status == "completed"


def test_the_schedule_begins_anew(ada, order_confirmation, providers, settings):
    settings.RETRY_SCHEDULE = [timedelta(), timedelta(seconds=5)]
    account("main")
    providers.answers["main"] = Outcome.transient("451")
    queued(ada, order_confirmation, 1)

    def tries():
        for _ in range(4):
            rounds.sweep()
            clock_moves(timedelta(seconds=31))
        return Delivery.objects.get()

    assert (tries().attempts, tries().dead) == (2, True)
    replay()
    assert (tries().attempts, tries().dead) == (4, True)


@pytest.mark.usefixtures("outbox_accounts")
def test_consent_is_asked_again(ada, weekly_offers):
    dead(ada, weekly_offers)
    Preference.objects.create(user=ada, category=weekly_offers.category, channel="email", enabled=False)

    replay()
    rounds.sweep()

    assert (Delivery.objects.get().status, OutboxMessage.objects.count()) == ("cancelled", 0)


@pytest.mark.usefixtures("outbox_accounts")
@pytest.mark.parametrize(("extend", "expected"), [(False, "expired"), (True, "sent")])
def test_what_has_expired_stays_so_unless_it_is_extended(ada, order_confirmation, extend, expected):
    dead(ada, order_confirmation, expires_at=datetime.now(tz=UTC) - timedelta(hours=1))

    replay(extend=extend)
    rounds.sweep()

    assert Delivery.objects.get().status == expected


def test_a_rate_spreads_them(ada, order_confirmation, settings):
    settings.CLAIM_SIZE = 2  # the rate goes on over batches
    for _ in range(5):
        dead(ada, order_confirmation)

    assert replay(rate=Rate(2)) == 5

    due = sorted(Delivery.objects.values_list("due_at", flat=True))
    assert [(moment - due[0]).total_seconds() for moment in due] == [0, 0.5, 1, 1.5, 2]


def test_a_replay_is_on_the_record_and_twice_is_once(ada, order_confirmation):
    dead(ada, order_confirmation)
    rows = letters()

    assert [replay(rows), replay(rows.all())] == [1, 0]

    line = AuditEvent.objects.order_by("id").first()
    assert (line.actor, line.action) == ("staff:root", "dead_letters.replayed")
    assert line.detail == {"count": 1, "rate": "", "extend": False}


def test_what_shows_in_the_inbox_is_put_there_late(ada, order_confirmation):
    row = dead(ada, order_confirmation, channel="in_app", error="render: no such variable")
    Notification.objects.update(payload={"title": "Hello", "body": "It works."})

    assert replay() == 1
    run_until_idle()

    row.refresh_from_db()
    assert (row.status, row.dead, row.attempts, row.delivered_at is not None) == ("delivered", False, 9, True)
    item = InboxItem.objects.get()
    assert (item.id, item.content["title"]) == (row.id, "Hello")
    assert row.notification.status == "completed"


def test_what_the_person_has_muted_meanwhile_stays_out_of_the_inbox(ada, order_confirmation):
    row = dead(ada, order_confirmation, channel="in_app", error="render: no such variable")
    consent.mute(ada, source="api", actor="key:shop")

    replay()
    run_until_idle()

    row.refresh_from_db()
    assert (row.status, row.reason) == ("cancelled", "opted_out")
    assert not InboxItem.objects.exists()
