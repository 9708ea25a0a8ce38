"""Broadcasts with which something is wrong that nobody foresaw."""

import pytest

from notifications import audience
from notifications.models import Broadcast, OutboxMessage
from tests.flow import run_until_idle
from tests.notifications.broadcasts.conftest import broadcast_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


def told():
    return sorted(OutboxMessage.objects.values_list("user__user_id", flat=True))


def test_a_broadcast_that_fails_keeps_no_other_waiting_and_is_tried_again(
    ada, bob, by_mail, monkeypatch, caplog, clock_now
):
    broken, sound = broadcast_to({"all": True}, by_mail), broadcast_to({"user_ids": ["bob"]}, by_mail)
    with monkeypatch.context() as patched:
        patched.setattr(audience, "people", lambda _: 1 // 0)
        run_until_idle()
    sound.refresh_from_db()
    assert (told(), sound.status) == (["bob"], "completed")
    assert "broadcast.failed" in caplog.text

    run_until_idle()
    broken.refresh_from_db()
    assert broken.status == "materialising" and broken.due_at > clock_now
    Broadcast.objects.filter(pk=broken.pk).update(due_at=clock_now)
    run_until_idle()

    broken.refresh_from_db()
    assert (told(), broken.status) == (["ada", "bob", "bob"], "completed")
