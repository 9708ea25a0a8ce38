from datetime import UTC, datetime

import pytest
from django.db import connection

from preferences import addresses, consent, contact_points, erasure, loading_at_once, suppressions
from preferences.loading import load_categories, load_people, look_again
from preferences.models import Category, ContactPoint, Mute, Suppression, User
from project.foundation import ids, prepared
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


def test_addresses_and_silences_come_oldest_first_wherever_they_are_stored(ada, bob, offers):
    new, _ = contact_points.add(ada, channel="email", address="new@example.com")
    old, _ = contact_points.add(ada, channel="email", address="old@example.com")
    contact_points.add(bob, channel="email", address="bob@example.com")
    ContactPoint.objects.filter(pk=old.pk).update(id=ids.of_int(new.id.int - 1))
    consent.mute(ada, type_key="FIRST", **BY)
    consent.mute(ada, category=offers, **BY)
    Mute.objects.filter(type_key="FIRST").update(until=datetime(2126, 1, 1, tzinfo=UTC))

    person = load_people([bob.pk, ada.pk])[ada.pk]

    assert [point.address for point in person.contact_points] == ["old@example.com", "new@example.com"]
    assert [mute.type_key for mute in person.mutes] == ["FIRST", ""]


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


@pytest.fixture
def known(ada, bob, offers):
    """Ada and Bob as they were loaded, each with a choice, a silence and an address."""
    for user in (ada, bob):
        contact_points.add(user, channel="email", address=f"{user.user_id}@example.com")
        consent.set_preference(user, category=offers, channel="email", enabled=True, **BY)
        consent.mute(user, type_key="WEEKLY_OFFERS", **BY)
    return load_people([ada.pk, bob.pk])


def _suppress(ada):
    suppressions.suppress(
        [suppressions.Unwanted("email", "ada@example.com", "bounce")], origin=consent.Origin("test", "system")
    )


CHANGES = {
    "an address more": lambda ada: contact_points.add(ada, channel="sms", address="+15005550006"),
    "an address less": lambda ada: ada.contact_points.get().delete(),
    "another address": lambda ada: contact_points.update(ada.contact_points.get(), address="countess@example.com"),
    "a confirmed address": lambda ada: ada.contact_points.update(confirmed_at=datetime.now(UTC)),
    "a disabled address": lambda ada: contact_points.disable(ada.contact_points.get(), reason="full"),
    "a suppression": _suppress,
    "a choice more": lambda ada: consent.set_preference(ada, channel="email", enabled=False, **BY),
    "another choice": lambda ada: ada.preferences.update(enabled=False),
    "a choice less": lambda ada: ada.preferences.all().delete(),
    "a mute more": lambda ada: consent.mute(ada, **BY),
    "a shorter mute": lambda ada: Mute.objects.filter(user=ada).update(until=datetime(2126, 1, 1, tzinfo=UTC)),
    "a mute less": lambda ada: consent.unmute(ada, type_key="WEEKLY_OFFERS", **BY),
    "a renamed category": lambda ada: Category.objects.filter(key="offers").update(key="deals"),
    "an erasure": lambda ada: erasure.erase(ada, actor="system"),
}
FIELDS = {
    "name": "Ada King",
    "locale": "fr",
    "timezone": "Europe/Paris",
    "attributes": {"plan": "gold"},
    "quiet_hours": {"timezone": None, "weekly": [{"days": ["mon"], "from": "22:00", "until": "07:00"}]},
    "frequency_caps": [{"channel": None, "category": None, "max": 1, "per": "day"}],
    "channel_priority": ["sms"],
    "digests": {"offers": "daily"},
    "digest_at": "18:30",
    "link_generation": 1,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_seen_by_who_looks_again(known, ada, change):
    change(ada)

    found = look_again(known)[ada.pk]

    assert found != known[ada.pk]
    assert found == load_people([ada.pk])[ada.pk]


@pytest.mark.parametrize("name", FIELDS)
def test_a_changed_field_is_seen_by_who_looks_again(known, ada, name):
    User.objects.filter(pk=ada.pk).update(**{name: FIELDS[name]})

    found = look_again(known)[ada.pk]

    assert found != known[ada.pk]
    assert found == load_people([ada.pk])[ada.pk]


def test_a_number_that_became_a_truth_is_seen_too(known, ada):
    User.objects.filter(pk=ada.pk).update(attributes={"gold": 1})
    known = look_again(known)
    User.objects.filter(pk=ada.pk).update(attributes={"gold": True})

    assert look_again(known)[ada.pk].attributes["gold"] is True


@pytest.mark.skipif(connection.vendor != "postgresql", reason="people are loaded anew elsewhere")
def test_who_has_not_changed_is_not_read_again(known, ada, bob, django_assert_num_queries):
    User.objects.filter(pk=bob.pk).update(locale="fr")

    with django_assert_num_queries(1):
        found = look_again(known)

    assert found[ada.pk] is known[ada.pk]
    assert found[bob.pk].locale == "fr"
    assert look_again(found)[bob.pk] is found[bob.pk]


def test_who_looks_again_does_not_see_who_is_gone(ada, bob):
    known = load_people([ada.pk, bob.pk])
    User.objects.filter(pk=ada.pk).delete()

    assert look_again(known) == {bob.pk: known[bob.pk]}
    assert look_again({}) == {}


def test_a_suppression_under_an_older_key_is_seen_by_who_looks_again(known, ada, settings):
    _suppress(ada)
    settings.BLIND_INDEX_KEYS = {"new": b"n" * 32} | settings.BLIND_INDEX_KEYS

    (point,) = look_again(known)[ada.pk].contact_points

    assert (point.usable, point.suppressed) == (False, "bounce")


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


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of its plans")
def test_a_plan_that_was_made_while_tables_were_empty_reads_no_table_as_a_whole(db):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE; SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan")
        statement = loading_at_once.statement().replace("%(keys)s", "$1")
        cursor.execute(f"PREPARE people(text) AS {statement}")
        cursor.execute("EXPLAIN EXECUTE people('{1}')")
        plan = [line for (line,) in cursor.fetchall()]

    assert sum("Index Cond: (user_id = ANY" in line for line in plan) == 3
    assert not [line for line in plan if "Seq Scan" in line or "Join" in line or "Nested Loop" in line]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one way to say it")
@pytest.mark.django_db(transaction=True)
def test_people_are_the_same_to_connections_that_keep_plans_and_to_others(ada, offers):
    for channel, address in (("email", "ada@example.com"), ("webhook", "https://example.com/hook")):
        contact_points.add(ada, channel=channel, address=address)
    consent.set_preference(ada, category=offers, channel="email", enabled=True, **BY)
    consent.mute(ada, type_key="WEEKLY_OFFERS", until=datetime(2126, 1, 1, tzinfo=UTC), **BY)
    User.objects.filter(pk=ada.pk).update(**FIELDS)
    connection.close()
    plain = load_people([ada.pk])

    prepared.get_ready()
    found = load_people([ada.pk])
    again = look_again(plain)
    connection.close()

    assert found == plain
    assert {name: getattr(found[ada.pk], name) for name in FIELDS} == FIELDS | {
        "frequency_caps": tuple(FIELDS["frequency_caps"]),
        "channel_priority": ("sms",),
    }
    assert [point.secret[:6] for point in found[ada.pk].contact_points] == ["", "whsec_"]
    assert again[ada.pk] is plain[ada.pk]
