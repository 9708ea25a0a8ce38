"""Which account a message goes through: by order, by weight, by what each account serves."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from notifications import accounts, breaker, routing
from notifications.accounts import Account
from notifications.models import AccountState, Attempt, Delivery, ProviderAccount
from notifications.providers.base import Outcome
from notifications.routing import Allotment, Destination
from preferences.models import ContactPoint
from project.foundation.encryption import blind_index
from project.foundation.ids import new_id
from tests.flow import let_time_pass, run_until_idle
from tests.notifications.given import accepted
from tests.notifications.troubled import account, clock_moves, queued, work

SOME = UUID(int=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
THROTTLED = {"throttled_until": NOW + timedelta(minutes=5)}
OPEN = {"opened_at": NOW - timedelta(seconds=10)}


def made(id, **fields):
    fields = {name: frozenset(value) if isinstance(value, set) else value for name, value in fields.items()}
    return Account(id=id, name=f"account-{id}", provider="smtp", channel="sms", **fields)


def way(found, states=None, *, most=1000):
    rows = {id: AccountState(account_id=id, **fields) for id, fields in (states or {}).items()}
    return routing.route(found, rows, NOW, most=most)


def taken(route, *, category="orders", country="", delivery_id=SOME, pinned=None):
    share = Allotment(route).take(Destination(delivery_id, category, country), pinned=pinned)
    return share.account.id if isinstance(share, routing.Share) else share


def test_accounts_of_one_order_share_by_weight():
    route = way([made(1, weight=1), made(2, weight=3)])
    allotment = Allotment(route)

    shares = [allotment.take(Destination(new_id(), "orders"), pinned=None) for _ in range(1000)]

    counted = Counter(share.account.id for share in shares)
    assert 190 < counted[1] < 310  # a quarter of them, and what chance makes of it


def test_one_delivery_always_goes_the_same_way():
    deliveries = [new_id() for _ in range(200)]
    before = [taken(way([made(1), made(2)]), delivery_id=each) for each in deliveries]

    again = [taken(way([made(1), made(2)]), delivery_id=each) for each in deliveries]
    with_a_third = [taken(way([made(1), made(2), made(3)]), delivery_id=each) for each in deliveries]

    assert again == before
    moved = [new for old, new in zip(before, with_a_third, strict=True) if old != new]
    assert moved
    assert set(moved) == {3}


def test_a_share_whose_circuit_is_open_goes_to_its_equals_before_the_next_order():
    route = way([made(1, order=1), made(2, order=1), made(3, order=2)], {1: OPEN})

    assert {taken(route, delivery_id=new_id()) for _ in range(50)} == {2}


def test_a_share_that_is_slowed_down_is_waited_for():
    route = way([made(1), made(2)], {1: THROTTLED})

    assert {taken(route, delivery_id=new_id()) for _ in range(50)} == {2, timedelta(minutes=5)}


def test_an_account_takes_only_the_categories_and_countries_it_serves():
    route = way([made(1, order=1, categories={"orders"}, countries={"DE", "AT"}), made(2, order=2)])

    assert taken(route, category="orders", country="AT") == 1
    assert taken(route, category="orders", country="US") == 2
    assert taken(route, category="offers", country="AT") == 2
    assert taken(route, category="orders", country="") == 2


def test_what_no_account_serves_is_held():
    assert taken(way([made(1, countries={"DE"})]), country="US") is None


def test_waiting_for_one_country_stops_no_other():
    route = way([made(1, order=1, countries={"DE"}), made(2, order=2)], {1: THROTTLED})

    assert taken(route, country="DE") == timedelta(minutes=5)
    assert taken(route, country="US") == 2
    assert route.room == 1000


def test_an_account_that_everything_waits_before_adds_no_room():
    assert way([made(1, order=1), made(2, order=2)], {1: THROTTLED}).room == 0
    assert way([made(1, order=1), made(2, order=2)], {1: OPEN}).room == 1000


def test_a_message_in_doubt_stays_with_its_account_though_another_one_comes_first():
    route = way([made(1, order=1), made(2, order=2, categories={"offers"})])

    assert taken(route, category="orders", pinned=2) == 2
    assert taken(way([made(1), made(2, enabled=False)]), pinned=2) == breaker.OPEN_FOR


@pytest.mark.django_db
def test_deliveries_go_by_category(ada, order_confirmation, weekly_offers, providers):
    account("orders-only", order=1, categories=["orders"])
    account("rest", order=2)

    queued(ada, order_confirmation, 2)
    queued(ada, weekly_offers, 3)
    work()
    run_until_idle()

    assert (providers.sent("orders-only"), providers.sent("rest")) == (2, 3)


@pytest.fixture
def american(bob):
    number = "+12025550123"
    index = blind_index("sms", number)
    ContactPoint.objects.filter(user=bob, channel="sms").update(address=number, address_index=index)
    return bob


def texted(user, type_):
    accepted(user, type_, channels_preferred=["sms"])


@pytest.mark.django_db
def test_deliveries_go_by_the_numbers_country_and_wait_where_none_serves_it(
    ada, american, order_confirmation, providers
):
    german = account("german", provider="twilio", channel="sms", countries=["DE"])
    texted(ada, order_confirmation)
    texted(american, order_confirmation)

    run_until_idle()

    assert dict(Delivery.objects.values_list("user__user_id", "status")) == {"ada": "sent", "bob": "held"}
    assert Delivery.objects.get(status="sent").provider_account_id == german.pk
    assert providers.sent("german") == 1


@pytest.mark.django_db
def test_what_is_held_goes_on_once_an_account_serves_it_and_not_before(ada, american, order_confirmation, providers):
    account("austrian", provider="twilio", channel="sms", countries=["AT"])
    texted(ada, order_confirmation)
    texted(american, order_confirmation)
    run_until_idle()
    attempts = Attempt.objects.count()

    ProviderAccount.objects.update(countries=["DE"])
    accounts.forget()
    run_until_idle()
    run_until_idle()

    assert dict(Delivery.objects.values_list("user__user_id", "status")) == {"ada": "sent", "bob": "held"}
    assert Attempt.objects.count() == attempts + 1
    account("rest", provider="twilio", channel="sms", order=20)
    run_until_idle()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    assert providers.sent("rest") == 1


@pytest.mark.django_db
def test_more_than_one_look_finds_what_is_served_behind_what_is_not(ada, order_confirmation, providers, settings):
    settings.CLAIM_SIZE = 3
    account("offers-only", categories=["offers"])
    queued(ada, order_confirmation, 8)
    run_until_idle()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"held"}
    last = Delivery.objects.order_by("id").last()
    other = order_confirmation.__class__.objects.create(
        key="NEWS", name="News", category=order_confirmation.category.__class__.objects.create(key="news", name="News")
    )
    Delivery.objects.filter(id=last.id).update(type=other)

    ProviderAccount.objects.update(categories=["news"])
    accounts.forget()
    run_until_idle()

    assert list(Delivery.objects.filter(status="sent").values_list("id", flat=True)) == [last.id]


@pytest.mark.django_db
def test_a_message_pinned_to_the_second_account_is_not_forgotten_when_the_first_works_again(
    ada, order_confirmation, providers, settings
):
    settings.FLUSH_SIZE = 5
    account("main", order=1)
    account("spare", order=2)
    providers.answers["main"] = Outcome.transient("451 try later")
    queued(ada, order_confirmation, 5)
    work()
    clock_moves(timedelta(seconds=6))
    providers.answers["spare"] = Outcome.unknown("The connection broke.")
    work()
    assert set(Delivery.objects.values_list("reason", flat=True)) == {"unknown_outcome"}

    providers.answers = {"main": Outcome.accepted(), "spare": Outcome.accepted()}
    AccountState.objects.all().delete()  # both work again
    let_time_pass(timedelta(seconds=60))
    work()

    assert providers.sent("main") == 5
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


@pytest.mark.django_db
def test_the_outbox_never_shares_an_order_with_an_account_that_sends():
    account("a-outbox", provider="outbox", options={})
    account("z-main")

    assert [each.name for each in accounts.of_channel("email")] == ["z-main"]
    accounts.forget()
