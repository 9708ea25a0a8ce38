from datetime import UTC, datetime, timedelta

from preferences import webhook_secrets
from preferences.webhook_secrets import OVERLAP

NOW = datetime(2026, 11, 21, 18, 5, tzinfo=UTC)


def test_a_new_secret_signs_alone():
    stored = webhook_secrets.new()

    assert webhook_secrets.current(stored) == stored
    assert webhook_secrets.signing(stored, NOW) == (stored,)


def test_no_secret_signs_nothing():
    assert webhook_secrets.signing("", NOW) == ()


def test_the_one_before_signs_until_the_overlap_is_over():
    before = webhook_secrets.new()
    stored = webhook_secrets.rotated(before, NOW)
    now = webhook_secrets.current(stored)

    assert now != before
    assert webhook_secrets.signing(stored, NOW) == (now, before)
    assert webhook_secrets.signing(stored, NOW + OVERLAP - timedelta(seconds=1)) == (now, before)
    assert webhook_secrets.signing(stored, NOW + OVERLAP) == (now,)


def test_a_second_rotation_lets_go_of_the_first_secret():
    first = webhook_secrets.new()
    second = webhook_secrets.rotated(first, NOW)
    third = webhook_secrets.rotated(second, NOW)

    assert first not in webhook_secrets.signing(third, NOW)
    assert len(webhook_secrets.signing(third, NOW)) == 2


def test_a_webhooks_secret_is_rotated_and_shown_once(api, ada):
    _, point = api("POST", "/users/ada/contact_points", {"channel": "webhook", "address": "https://example.com/hook"})
    path = f"/users/ada/contact_points/{point['id']}"

    status, rotated = api("POST", f"{path}/rotate")

    assert (status, rotated["id"]) == (200, point["id"])
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != point["secret"]
    assert " " not in rotated["secret"]
    assert "secret" not in api.get(path)
    stored = ada.contact_points.get().secret
    assert webhook_secrets.signing(stored, datetime.now(tz=UTC)) == (rotated["secret"], point["secret"])


def test_other_channels_have_nothing_to_rotate(api, ada):
    _, point = api("POST", "/users/ada/contact_points", {"channel": "email", "address": "ada@example.com"})

    assert api("POST", f"/users/ada/contact_points/{point['id']}/rotate")[0] == 409


def test_nobody_rotates_the_secret_of_anothers_webhook(api, ada, bob):
    _, point = api("POST", "/users/ada/contact_points", {"channel": "webhook", "address": "https://example.com/hook"})

    assert api("POST", f"/users/bob/contact_points/{point['id']}/rotate")[0] == 404
