from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.access import keys
from notifications.models import ApiKey
from project.foundation.models import AuditEvent


@pytest.fixture
def issued(caller):
    return keys.issue(caller, "live", ["read", "send"], actor="staff:root")


def _let_cache_end(monkeypatch):
    start = keys.time.monotonic()
    monkeypatch.setattr(keys.time, "monotonic", lambda: start + keys.CACHE_SECONDS + 1)


def test_a_key_is_checked_by_its_text_alone(issued, caller):
    key, text = issued

    credentials = keys.check(text)

    assert text.startswith(f"crl_live_{key.id}_")
    assert (credentials.caller_id, credentials.mode, credentials.actor) == (caller.pk, "live", "key:shop")
    assert credentials.scopes == {"send", "read"}


def test_the_secret_is_not_stored(issued):
    key, text = issued
    secret = text.split("_", 3)[3]

    assert len(secret) == 43
    assert secret.encode() not in bytes(ApiKey.objects.get(pk=key.pk).secret_hash)


def test_issuing_is_in_the_audit_trail_without_the_secret(issued):
    key, text = issued

    event = AuditEvent.objects.get(action="key.issued")
    assert (event.actor, event.target) == ("staff:root", f"key:{key.id}")
    assert text.split("_", 3)[3] not in str(event.detail)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text.replace("crl_live", "crl_test"),
        lambda text: text.replace("crl_", "abc_"),
        lambda text: "",
        lambda text: "crl_live_aaaaaaaa_" + text[-43:],
        lambda text: text[:17],
        lambda text: text.upper(),
    ],
)
def test_a_text_that_is_not_quite_the_key_is_nobody(issued, spoil):
    assert keys.check(spoil(issued[1])) is None


def test_an_expired_key_is_nobody_even_while_it_is_cached(caller, monkeypatch):
    _, text = keys.issue(caller, "live", ["send"], actor="test", expires_at=timezone.now() + timedelta(seconds=60))
    assert keys.check(text) is not None

    later = timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr(keys.timezone, "now", lambda: later)

    assert keys.check(text) is None


@pytest.mark.django_db(transaction=True)
def test_a_revoked_key_is_nobody_at_once_here(caller):
    key, text = keys.issue(caller, "live", ["send"], actor="test")
    assert keys.check(text) is not None

    keys.revoke(key, actor="staff:root")

    assert keys.check(text) is None
    assert AuditEvent.objects.filter(action="key.revoked", target=f"key:{key.id}").count() == 1


def test_a_key_revoked_elsewhere_is_nobody_within_seconds(issued, monkeypatch):
    key, text = issued
    assert keys.check(text) is not None
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    assert keys.check(text) is not None

    _let_cache_end(monkeypatch)

    assert keys.check(text) is None


def test_a_cached_key_costs_no_query(issued, django_assert_num_queries):
    keys.check(issued[1])

    with django_assert_num_queries(0):
        keys.check(issued[1])


def test_use_is_noted_to_the_minute(issued, monkeypatch, django_assert_num_queries):
    key, text = issued
    keys.check(text)
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    assert first is not None

    _let_cache_end(monkeypatch)
    with django_assert_num_queries(1):
        keys.check(text)

    assert ApiKey.objects.get(pk=key.pk).last_used_at == first


def test_rotation_keeps_the_rights_and_lets_the_old_key_live_on_for_a_while(caller):
    key, text = keys.issue(caller, "test", ["send"], actor="test", rate_limit="5/s", name="Shop")

    successor, new_text = keys.rotate(key, actor="staff:root")

    assert (successor.caller, successor.mode, successor.scopes) == (caller, "test", ["send"])
    assert (successor.rate_limit, successor.name, successor.expires_at) == ("5/s", "Shop", None)
    assert keys.check(text) is not None and keys.check(new_text) is not None
    key.refresh_from_db()
    assert timedelta(hours=23) < key.expires_at - timezone.now() <= keys.OVERLAP


def test_rotation_never_lengthens_a_life(caller):
    soon = timezone.now() + timedelta(minutes=5)
    key, _ = keys.issue(caller, "live", ["send"], actor="test", expires_at=soon)

    keys.rotate(key, actor="test")

    assert ApiKey.objects.get(pk=key.pk).expires_at == soon
