import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from preferences.models import User
from project.foundation import encryption

FIELD = "preferences.User.name"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(text):
    assert encryption.decrypt(encryption.encrypt(text, field=FIELD), field=FIELD) == text


def test_two_seals_of_one_text_differ():
    assert encryption.encrypt("ada", field=FIELD) != encryption.encrypt("ada", field=FIELD)


def test_a_value_moved_to_another_field_does_not_open():
    sealed = encryption.encrypt("ada@example.com", field=FIELD)

    with pytest.raises(encryption.CannotDecrypt):
        encryption.decrypt(sealed, field="preferences.ContactPoint.address")


@pytest.mark.parametrize("damage", [b"", b"\x01", b"\xffabc", None])
def test_a_damaged_value_does_not_open(damage):
    sealed = bytearray(encryption.encrypt("ada", field=FIELD))
    sealed[-1] ^= 1

    with pytest.raises(encryption.CannotDecrypt):
        encryption.decrypt(bytes(sealed) if damage is None else damage, field=FIELD)


def test_old_values_open_after_the_key_was_rotated(settings):
    sealed = encryption.encrypt("ada", field=FIELD)
    settings.ENCRYPTION_KEYS = {"new": b"n" * 32, **settings.ENCRYPTION_KEYS}

    assert encryption.decrypt(sealed, field=FIELD) == "ada"
    assert encryption.encrypt("ada", field=FIELD).startswith(b"\x03new")


def test_a_look_up_tries_every_blind_index_key(settings):
    old = encryption.blind_index("email", "ada@example.com")
    settings.BLIND_INDEX_KEYS = {"new": b"n" * 32, **settings.BLIND_INDEX_KEYS}

    assert old in encryption.blind_indexes("email", "ada@example.com")
    assert encryption.blind_index("email", "ada@example.com") != old
    assert encryption.blind_index("sms", "ada@example.com") not in encryption.blind_indexes("email", "ada@example.com")


@pytest.mark.django_db
def test_a_name_is_not_readable_in_the_table():
    user = User.objects.create_user("ada", name="Ada Lovelace", attributes={"plan": "pro"})

    with connection.cursor() as cursor:
        cursor.execute("SELECT name, attributes FROM preferences_user")
        name, attributes = map(bytes, cursor.fetchone())

    assert b"Lovelace" not in name and b"pro" not in attributes
    user.refresh_from_db()
    assert (user.name, user.attributes) == ("Ada Lovelace", {"plan": "pro"})


def test_texts_that_are_sealed_together_open_one_by_one_and_never_look_alike():
    sealed = encryption.encrypt_all(["ada", "", "täget", "ada"], field=FIELD)

    assert [encryption.decrypt(each, field=FIELD) for each in sealed] == ["ada", "", "täget", "ada"]
    key = len(encryption.encrypt("", field=FIELD)) - 12 - 16
    assert len({each[key : key + 12] for each in sealed}) == 4  # nonces
    assert encryption.encrypt_all([], field=FIELD) == []
