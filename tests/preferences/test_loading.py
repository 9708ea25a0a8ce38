from datetime import UTC, datetime

import pytest
from django.db import connection

from preferences import addresses, consent, contact_points
from preferences.loading import load_categories, load_people
from preferences.models import Suppression, User
from project.foundation.encryption import blind_index

BY = {"source": "test", "actor": "system"}


def test_a_person_comes_with_everything_a_decision_needs(ada, offers, weekly_offers):
    until = datetime(2126, 1, 1, tzinfo=UTC)
    consent.set_preference(ada, category=offers, channel="email", enabled=False, **BY)
    consent.set_preference(ada, category=offers, enabled=True, **BY)
    consent.set_preference(ada, channel="sms", enabled=True, **BY)
    consent.mute(ada, type_key="WEEKLY_OFFERS", until=until, **BY)
    contact_points.add(ada, channel="email", address="ada@example.com")
    phone, _ = contact_points.add(ada, channel="sms", address="+15005550006")
    contact_points.disable(phone, reason="landline")

    person = load_people([ada.pk])[ada.pk]

    assert (person.user_id, person.name, person.locale, person.erased) == ("ada", "Ada Lovelace", "en", False)
    assert person.choices == {("offers", "email"): False, ("offers", ""): True, ("", "sms"): True}
    assert [(mute.type_key, mute.until) for mute in person.mutes] == [("WEEKLY_OFFERS", until)]
    email, sms = person.contact_points
    assert (email.address, email.usable, email.verified) == ("ada@example.com", True, False)
    assert (sms.usable, sms.disabled_reason) == (False, "landline")
    assert person.address("email") == "ada@example.com"
    assert person.address("sms") == ""


def test_a_suppressed_address_is_known_under_an_older_key_too(ada, settings):
    contact_points.add(ada, channel="email", address="ada@example.com")
    Suppression.objects.create(
        channel="email", address_index=blind_index("email", "ada@example.com"), reason="complaint"
    )
    settings.BLIND_INDEX_KEYS = {"new": b"n" * 32} | settings.BLIND_INDEX_KEYS

    (point,) = load_people([ada.pk])[ada.pk].contact_points

    assert (point.usable, point.suppressed) == (False, "complaint")


def test_a_suppression_holds_on_its_own_channel_only(ada):
    contact_points.add(ada, channel="voice", address="+15005550006")
    Suppression.objects.create(channel="sms", address_index=blind_index("sms", "+15005550006"), reason="stop")

    assert load_people([ada.pk])[ada.pk].contact_points[0].usable


@pytest.mark.parametrize("count", [1, 40])
def test_the_number_of_queries_does_not_depend_on_the_number_of_people(db, offers, django_assert_num_queries, count):
    people = [User.objects.create_user(f"user-{number}") for number in range(count)]
    for user in people:
        contact_points.add(user, channel="email", address=f"{user.user_id}@example.com")
        consent.set_preference(user, category=offers, enabled=False, **BY)
        consent.mute(user, **BY)

    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 5):
        assert len(load_people([user.pk for user in people])) == count


def test_unknown_keys_are_absent(db):
    assert load_people([12345]) == {}
    assert load_people([]) == {}


def test_categories_come_in_one_query(orders, offers, django_assert_num_queries):
    with django_assert_num_queries(1):
        categories = load_categories()

    assert categories[orders.pk].required == {"email"}
    assert categories[offers.pk].defaults == {"push": False}


def test_a_suppression_holds_for_every_spelling_of_an_email_address(ada):
    contact_points.add(ada, channel="email", address="Ada@example.com")
    Suppression.objects.create(
        channel="email", address_index=addresses.index("email", "ADA@example.com"), reason="stop"
    )

    (point,) = load_people([ada.pk])[ada.pk].contact_points

    assert (point.usable, point.suppressed) == (False, "stop")
