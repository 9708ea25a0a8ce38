"""Accounts that refuse us or are switched off: what is theirs is held, and goes on later."""

from datetime import timedelta

import pytest

from notifications import (
    account_changes,
    account_health,
    accounts,
    holding,
    planning,
    rounds,
)
from notifications.models import Delivery, ProviderAccount
from notifications.providers.base import Outcome
from project.foundation import clock
from project.foundation.models import AuditEvent
from tests.notifications.given import accepted
from tests.notifications.troubled import SMTP, account, clock_moves, queued, statuses, work

pytestmark = pytest.mark.django_db


def test_a_refused_account_holds_everything_with_one_alarm(ada, order_confirmation, providers, settings):
    settings.FLUSH_SIZE = 5
    main = account("main")
    queued(ada, order_confirmation, 12)
    providers.answers["main"] = Outcome.account("535 authentication failed for shop with s3cret")

    work()

    assert providers.calls["main"] == [5]
    assert set(Delivery.objects.values_list("status", "reason", "attempts")) == {("held", "account", 0)}
    line = AuditEvent.objects.get(action="provider_account.refused")
    assert (line.actor, line.target) == ("system", "provider_account:main")
    (trouble,) = account_health.troubles()
    assert trouble.account_id == main.pk
    assert trouble.text == "main is refused: 535 authentication failed for shop with •••. 12 deliveries are held."
    assert "s3cret" not in line.detail["error"]


def test_saving_a_refused_account_lets_go_what_was_held(ada, order_confirmation, providers):
    account("main")
    queued(ada, order_confirmation, 12)
    providers.answers["main"] = Outcome.account("535 authentication failed")
    rounds.sweep()
    assert set(statuses()) == {"held"}
    assert rounds.sweep() == 0

    providers.answers["main"] = Outcome.accepted()
    account_changes.save("main", account_changes.Wanted(provider="smtp", options=SMTP), actor="staff:root")
    accounts.forget()
    rounds.sweep()

    assert set(statuses()) == {"sent"}
    assert providers.calls["main"][1] == 1, "one message tries it"


def test_trying_again_in_vain_costs_one_message(ada, order_confirmation, providers):
    main = account("main")
    queued(ada, order_confirmation, 12)
    providers.answers["main"] = Outcome.account("535 authentication failed")
    rounds.sweep()

    account_changes.try_again(main, actor="staff:root")
    rounds.sweep()

    assert providers.calls["main"] == [12, 1]
    assert set(Delivery.objects.values_list("status", "attempts")) == {("held", 0)}


def test_what_one_account_refuses_another_takes(ada, order_confirmation, providers):
    account("main", order=1)
    account("spare", order=2)
    queued(ada, order_confirmation, 3)
    providers.answers["main"] = Outcome.account("535 authentication failed")

    work()

    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 1)}
    assert (providers.calls["main"], providers.calls["spare"]) == ([3], [3])


def test_an_account_switched_off_holds_until_it_is_switched_on(ada, order_confirmation, providers):
    main = account("main", enabled=False)
    queued(ada, order_confirmation, 2)
    rounds.sweep()
    assert set(Delivery.objects.values_list("status", "reason")) == {("held", "account")}
    assert [trouble.text for trouble in account_health.troubles()] == ["main is switched off. 2 deliveries are held."]

    ProviderAccount.objects.filter(pk=main.pk).update(enabled=True)
    accounts.forget()
    rounds.sweep()

    assert set(statuses()) == {"sent"}


def test_test_mode_goes_on_whatever_the_accounts_do(ada, order_confirmation, providers, settings):
    settings.FLUSH_SIZE = 5
    account("main")
    providers.answers["main"] = Outcome.transient("451")
    queued(ada, order_confirmation, 10)
    work()
    accepted(ada, order_confirmation, channels_preferred=["email"], mode="test")
    planning.plan_due()

    work()

    assert Delivery.objects.get(mode="test").status == "sent"
    assert providers.calls["main"] == [5]


def test_an_account_deleted_meanwhile_breaks_nothing(ada, order_confirmation, providers):
    main = account("main")
    queued(ada, order_confirmation, 2)
    accounts.usable("email")
    ProviderAccount.objects.filter(pk=main.pk).delete()
    providers.answers["main"] = Outcome.transient("451")

    work()

    assert set(statuses()) == {"queued"}


def test_what_is_held_expires_in_its_time_and_says_so(ada, order_confirmation, providers):
    account("main")
    queued(ada, order_confirmation, 3)
    providers.answers["main"] = Outcome.account("535 authentication failed")
    work()
    late = Delivery.objects.order_by("id").first()
    Delivery.objects.filter(id=late.id).update(expires_at=clock.now() - timedelta(seconds=1))

    rounds.sweep()

    late.refresh_from_db()
    assert (late.status, late.error) == ("expired", "It was held until its time was over.")
    assert late.notification.status == "expired"
    assert late.events.order_by("id").last().kind == "expired"
    assert statuses() == ["expired", "held", "held"]


def test_what_may_have_been_sent_ends_unknown_when_it_was_held_too_long(ada, order_confirmation, providers):
    account("main")
    queued(ada, order_confirmation, 2)
    providers.answers["main"] = Outcome.unknown("The connection broke.")
    work()
    clock_moves(timedelta(seconds=6))
    providers.answers["main"] = Outcome.account("535 authentication failed")
    work()
    assert statuses() == ["held", "held"]
    late = Delivery.objects.order_by("id").first()
    Delivery.objects.filter(id=late.id).update(expires_at=clock.now() - timedelta(seconds=1))

    rounds.sweep()

    late.refresh_from_db()
    assert statuses() == ["held", "unknown"]
    assert late.error == "A provider's answer was lost, and then it was held until its time was over."
    assert late.events.order_by("id").last().kind == "unknown"


def test_what_may_have_been_sent_goes_to_no_other_account_when_its_own_refuses(ada, order_confirmation, providers):
    account("main", order=1)
    queued(ada, order_confirmation, 2)
    providers.answers["main"] = Outcome.unknown("The connection broke.")
    work()
    account("spare", order=2)
    clock_moves(timedelta(seconds=6))
    providers.answers["main"] = Outcome.account("535 authentication failed")

    work()
    rounds.sweep()

    assert set(Delivery.objects.values_list("status", "reason")) == {("queued", "unknown_outcome")}
    assert "spare" not in providers.calls


def test_what_was_held_in_doubt_is_still_in_doubt_when_it_goes_on(ada, order_confirmation, providers):
    main = account("main")
    queued(ada, order_confirmation, 1)
    providers.answers["main"] = Outcome.unknown("The connection broke.")
    work()
    clock_moves(timedelta(seconds=6))
    providers.answers["main"] = Outcome.account("535 authentication failed")
    work()
    account_changes.try_again(main, actor="staff:root")

    assert holding.let_go() == 1

    assert set(Delivery.objects.values_list("status", "reason")) == {("queued", "unknown_outcome")}


def test_what_is_held_is_told_apart_by_whose_it_is(ada, order_confirmation, providers, settings):
    settings.FLUSH_SIZE = 2
    first, second = account("first", order=1), account("second", order=2, enabled=False)
    queued(ada, order_confirmation, 3)
    providers.answers["first"] = Outcome.account("535 authentication failed")
    work()

    words = [trouble.text for trouble in account_health.troubles()]

    of_first = "2 deliveries are held for it. One delivery is held for any account of its channel."
    assert words == [
        f"first is refused: 535 authentication failed. {of_first}",
        "second is switched off. One delivery is held for any account of its channel.",
    ]
    assert str(account_health.health(first).held) == of_first
    assert str(account_health.health(second).held) == "One delivery is held for any account of its channel."


def test_asking_what_is_held_takes_as_many_queries_for_many(
    ada, order_confirmation, providers, django_assert_num_queries
):
    accounts_of_one_channel = [account(f"mail-{number}", order=number) for number in range(3)]
    for row in accounts_of_one_channel:
        providers.answers[row.name] = Outcome.account("535 authentication failed")
    queued(ada, order_confirmation, 2)
    work()

    with django_assert_num_queries(2):
        assert len(account_health.troubles()) == 3
