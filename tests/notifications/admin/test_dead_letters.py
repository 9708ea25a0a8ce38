import pytest

from notifications.models import Delivery, ProviderAccount
from preferences.models import Category
from templates_app.models import Type
from tests.notifications.given import given_delivery

pytestmark = pytest.mark.django_db
LETTERS = "/admin/notifications/deadletter/"
UNKNOWN = "/admin/notifications/unknowndelivery/"


@pytest.fixture
def letter(ada):
    category = Category.objects.create(key="orders", name="Orders")
    type_ = Type.objects.create(key="ORDER_SHIPPED", name="Order shipped", category=category)
    return given_delivery(ada, type_, status="failed", dead=True, error="451 gave up", attempts=8)


def choose(action, delivery, **more):
    return {"action": action, "_selected_action": [str(delivery.id)]} | more


def test_dead_letters_are_listed_with_their_error(desk, letter):
    page = desk.get(LETTERS).content.decode()

    assert "451 gave up" in page
    assert 'name="rate"' in page and 'name="extend"' in page
    assert desk.get(f"{LETTERS}{letter.id}/change/").status_code == 200


def test_chosen_ones_are_sent_again_at_a_rate(desk, letter):
    desk.post(LETTERS, choose("replay", letter, rate="5/s"), follow=True)

    assert Delivery.objects.get().status == "queued"


def test_a_rate_that_cannot_be_read_sends_nothing(desk, letter):
    page = desk.post(LETTERS, choose("replay", letter, rate="fast"), follow=True)

    assert Delivery.objects.get().status == "failed"
    assert "Nothing was sent" in page.content.decode()


@pytest.mark.parametrize(("action", "expected"), [("was_sent", "sent"), ("send_again", "queued")])
def test_an_unknown_outcome_is_resolved(desk, letter, action, expected):
    Delivery.objects.update(status="unknown", dead=False)

    assert desk.get(UNKNOWN).status_code == 200
    desk.post(UNKNOWN, choose(action, letter), follow=True)

    assert Delivery.objects.get().status == expected


def test_staff_without_rights_replay_nothing(porter, letter):
    porter.post(LETTERS, choose("replay", letter))

    assert Delivery.objects.get().status == "failed"


def test_accounts_are_tried_again(desk, ada):
    account = ProviderAccount.objects.get()

    page = desk.post(
        "/admin/notifications/provideraccount/", {"action": "try_again", "_selected_action": [account.pk]}, follow=True
    )

    assert "tried again with one message" in page.content.decode()
