import pytest

from preferences import contact_points
from preferences.models import ContactPoint
from project.foundation.problems import Conflict


def test_an_address_is_usable_at_once_and_sealed_in_the_table(ada, db):
    point, created = contact_points.add(ada, channel="email", address="ada@example.com", label="home")

    assert created
    assert point.verified_at is not None
    assert (point.disabled_at, point.label, point.secret) == (None, "home", "")
    assert ContactPoint.objects.get().address == "ada@example.com"


def test_a_webhook_gets_a_secret_of_its_own(ada):
    one, _ = contact_points.add(ada, channel="webhook", address="https://example.com/1")
    two, _ = contact_points.add(ada, channel="webhook", address="https://example.com/2")

    assert one.secret.startswith("whsec_")
    assert one.secret != two.secret


def test_an_address_they_have_is_taken_back_into_use(ada):
    point, _ = contact_points.add(ada, channel="push", address="token")
    contact_points.disable(point, reason="dead_token")

    again, created = contact_points.add(ada, channel="push", address="token")

    assert (again.pk, created, again.disabled_at, again.disabled_reason) == (point.pk, False, None, "")


def test_an_address_from_before_a_key_rotation_is_not_doubled(ada, settings):
    contact_points.add(ada, channel="email", address="ada@example.com")
    settings.BLIND_INDEX_KEYS = {"new": b"n" * 32} | settings.BLIND_INDEX_KEYS

    _, created = contact_points.add(ada, channel="email", address="ada@example.com")

    assert not created
    assert contact_points.find_users("email", "ada@example.com") == [ada.pk]


def test_people_who_share_an_address_are_all_found(ada, bob):
    for user in (ada, bob):
        contact_points.add(user, channel="email", address="family@example.com")

    assert contact_points.find_users("email", "family@example.com") == sorted([ada.pk, bob.pk])
    assert contact_points.find_users("sms", "family@example.com") == []


def test_a_changed_address_is_found_under_its_new_form_only(ada):
    point, _ = contact_points.add(ada, channel="email", address="old@example.com")
    contact_points.disable(point, reason="bounce")

    contact_points.update(point, address="new@example.com", label="work")

    point.refresh_from_db()
    assert (point.address, point.label, point.disabled_at) == ("new@example.com", "work", None)
    assert contact_points.find_users("email", "old@example.com") == []
    assert contact_points.find_users("email", "new@example.com") == [ada.pk]


def test_an_address_cannot_become_another_one_of_theirs(ada):
    contact_points.add(ada, channel="email", address="one@example.com")
    two, _ = contact_points.add(ada, channel="email", address="two@example.com")

    with pytest.raises(Conflict):
        contact_points.update(two, address="one@example.com")


def test_disabling_twice_keeps_the_first_reason(ada):
    point, _ = contact_points.add(ada, channel="email", address="ada@example.com")
    contact_points.disable(point, reason="bounce")
    first = point.disabled_at
    contact_points.disable(point, reason="by_caller")

    point.refresh_from_db()
    assert (point.disabled_reason, point.disabled_at) == ("bounce", first)


def test_a_person_has_a_bounded_number_of_addresses(ada, monkeypatch):
    monkeypatch.setattr(contact_points, "MAX_PER_USER", 2)
    for number in range(2):
        contact_points.add(ada, channel="push", address=f"token-{number}")

    with pytest.raises(Conflict):
        contact_points.add(ada, channel="push", address="token-3")
    assert not contact_points.add(ada, channel="push", address="token-1")[1]


def test_an_email_address_is_one_in_any_case_and_keeps_its_spelling(ada):
    point, _ = contact_points.add(ada, channel="email", address="Ada@example.com")

    again, created = contact_points.add(ada, channel="email", address="ada@example.com")

    assert (again.pk, created, again.address) == (point.pk, False, "Ada@example.com")
    assert contact_points.find_users("email", "ADA@example.com") == [ada.pk]


def test_a_device_token_is_another_one_in_another_case(ada):
    contact_points.add(ada, channel="push", address="Token")

    _, created = contact_points.add(ada, channel="push", address="token")

    assert created


def test_another_spelling_of_an_address_does_not_take_it_back_into_use(ada):
    point, _ = contact_points.add(ada, channel="email", address="ada@example.com")
    contact_points.disable(point, reason="bounce")

    contact_points.update(point, address="Ada@example.com")

    point.refresh_from_db()
    assert (point.address, point.disabled_reason) == ("Ada@example.com", "bounce")
