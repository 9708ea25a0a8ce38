"""The banner that every page of the admin has while a service refuses an account."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from notifications import account_changes, account_health, accounts
from notifications.models import AccountState, ProviderAccount
from notifications.providers.base import Outcome
from preferences.models import User
from project.foundation import clock
from project.foundation.models import AuditEvent
from tests.notifications.troubled import SMTP, Providers, account, queued, work

pytestmark = pytest.mark.django_db

BANNER = 'class="crl-banner"'
PAGES = ["admin:index", "admin:preferences_user_changelist", "admin:notifications_outboxmessage_changelist"]


@pytest.fixture(autouse=True)
def _afresh(monkeypatch):
    monkeypatch.setattr(account_health, "_known_refused", None)
    accounts.forget()
    yield
    accounts.forget()


@pytest.fixture
def providers(monkeypatch):
    found = Providers()
    monkeypatch.setattr(accounts, "send", found.send)
    return found


def refused(name, *, words="535 authentication failed", **fields):
    row = account(name, **fields)
    AccountState.objects.create(account=row, refused_at=clock.now(), refusal=words)
    return row


def page(desk, name="admin:index"):
    return desk.get(reverse(name)).content.decode()


def test_a_refused_account_stands_at_the_top_of_every_page_with_what_is_held(desk, ada, order_confirmation, providers):
    ProviderAccount.objects.all().delete()
    main = account("main")
    queued(ada, order_confirmation, 3)
    providers.answers["main"] = Outcome.account("535 <b>s3cret</b> is wrong")
    work()
    accounts.forget()

    shown = [page(desk, name) for name in [*PAGES, "admin:notifications_provideraccount_changelist"]]

    for each in shown:
        assert each.count(BANNER) == 1
        assert escape("main is refused: 535 <b>•••</b> is wrong. 3 deliveries are held.") in each
        assert f'href="{reverse("admin:notifications_provideraccount_change", args=[main.pk])}"' in each
    assert AuditEvent.objects.filter(action="provider_account.refused").count() == 1


def test_the_banner_is_gone_as_soon_as_the_account_is_mended(desk):
    refused("main")
    assert BANNER in page(desk)

    account_changes.save("main", account_changes.Wanted(provider="smtp", options=SMTP), actor="staff:grace")
    accounts.forget()  # as its commit does

    assert BANNER not in page(desk)


def test_trying_again_from_the_admin_takes_it_away(desk, django_capture_on_commit_callbacks):
    main = refused("main")
    page(desk)

    with django_capture_on_commit_callbacks(execute=True):
        desk.post(reverse("admin:notifications_provideraccount_try_again", args=[main.pk]))

    assert BANNER not in page(desk)


def test_two_refused_accounts_share_one_banner(desk):
    refused("main")
    refused("texts", channel="sms", words="The key has expired.")

    shown = page(desk)

    assert shown.count(BANNER) == 1
    assert "main is refused: 535 authentication failed. Nothing is held." in shown
    assert "texts is refused: The key has expired. Nothing is held." in shown


def test_what_is_paused_is_no_alarm(desk):
    refused("main", enabled=False)

    assert BANNER not in page(desk)


def test_staff_without_a_right_to_accounts_are_not_told(porter):
    refused("main")

    assert BANNER not in page(porter)


def test_the_banner_costs_one_query_in_five_seconds(desk, django_assert_num_queries):
    account("main")
    account_health.refused()

    with django_assert_num_queries(0):
        assert account_health.refused() == []


def test_the_signing_in_page_tells_nobody(client):
    User.objects.create_superuser("root", "a long enough password")
    refused("main")

    assert BANNER not in client.get("/admin/login/").content.decode()
