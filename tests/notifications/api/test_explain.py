"""Why somebody was told something, or was not, by API."""

from datetime import timedelta
from uuid import uuid4

import pytest

from notifications import planning
from notifications.models import Delivery, Notification
from preferences import consent, ledger
from preferences.models import ConsentRecord, FrequencyCount
from project.foundation import ids
from tests.notifications.api.conftest import pointers

ORIGIN = {"source": "settings_page", "actor": "user:ada"}


@pytest.fixture(autouse=True)
def _ready(ada, typed):
    pass


def decided(answer: dict, channel: str) -> list[str]:
    return [line["rule"] for line in answer["rules"] if line["channel"] == channel and line["decided"]]


def test_a_notification_is_explained_by_what_had_been_chosen_then(shop, body, ada, weekly_offers):
    consent.set_preference(ada, category=weekly_offers.category, channel="sms", enabled=False, **ORIGIN)
    sent = shop.send(body | {"type": "WEEKLY_OFFERS", "channels_preferred": ["sms"]}).json()
    planning.plan_due()
    later = consent.set_preference(ada, category=weekly_offers.category, channel="sms", enabled=True, **ORIGIN)
    assert later

    answer = shop.get(f"/api/v1/notifications/{sent['notification_id']}/explain").json()

    assert answer["preferences_then"] == {"category:offers × channel:sms": "no"}
    assert decided(answer, "sms") == ["category_channel"]
    lines = {line["rule"]: line for line in answer["rules"]}
    assert lines["muted"]["evaluated"] and not lines["category"]["evaluated"]
    assert lines["category_channel"]["answer"] == answer["decisions"][0]["text"]
    assert answer["decisions"][0]["reason"] == "opted_out_channel"


def test_it_can_be_asked_why_somebody_would_not_get_a_type(shop, ada, weekly_offers):
    ada.frequency_caps = [{"channel": "email", "category": None, "max": 1, "per": "week"}]
    ada.save()
    consent.mute(ada, category=weekly_offers.category, **ORIGIN)

    answer = shop.get("/api/v1/explain", user_id="ada", type="WEEKLY_OFFERS").json()

    assert decided(answer, "email") == ["muted"] and decided(answer, "in_app") == ["muted"]
    assert answer["preferences_then"] == {"mute:category:offers": "forever"}
    assert not Notification.objects.exists() and not Delivery.objects.exists()
    assert not FrequencyCount.objects.exists()


def test_what_does_not_exist_is_named(shop, caller):
    answer = shop.get("/api/v1/explain", user_id="nobody", type="NOTHING")

    assert answer.status_code == 422
    assert pointers(answer) == {"/user_id": "unknown_user", "/type": "unknown_type"}
    assert shop.get(f"/api/v1/notifications/{uuid4()}/explain").status_code == 404


def test_the_ledger_tells_what_stood_at_a_moment(ada, weekly_offers):
    consent.set_preference(ada, channel="email", enabled=False, **ORIGIN)
    first = ids.created_at(ConsentRecord.objects.get().id)

    assert ledger.standing_at(ada.pk, first) == {"channel:email": "no"}
    assert ledger.standing_at(ada.pk, first - timedelta(seconds=1)) == {}
