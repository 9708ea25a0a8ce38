"""What a message carries besides its words."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from notifications import messages
from notifications.models import Delivery, Notification, OutboxMessage
from preferences import links, loading
from project.foundation import ids
from tests.flow import run_until_idle
from tests.notifications.given import accepted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]


def mailed(user, type_):
    accepted(user, type_, channels_preferred=["email"])
    run_until_idle()
    return OutboxMessage.objects.get(channel="email")


def test_a_mail_that_can_be_stopped_says_how_in_its_headers(ada, weekly_offers):
    mail = mailed(ada, weekly_offers)

    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail.headers["List-Unsubscribe"]
    assert address.startswith("<http") and address.endswith("/>")
    answer = Client(enforce_csrf_checks=True).post(
        urlsplit(address.strip("<>")).path, {"List-Unsubscribe": "One-Click"}
    )
    assert answer.status_code == 200
    assert loading.choices(ada.pk) == {("offers", "email"): False}


def test_a_required_mail_offers_no_unsubscribing_and_links_to_the_settings(ada, order_confirmation):
    order_confirmation.category.required_channels = ["email"]
    order_confirmation.category.save()

    mail = mailed(ada, order_confirmation)

    assert not [name for name in mail.headers if name.startswith("List-")]
    assert "/u/" not in mail.parts["html"]
    assert links.settings_url(ada.pk, 0) in mail.parts["html"]


def test_a_person_who_unsubscribed_gets_no_further_mail_of_that_category(ada, weekly_offers, order_confirmation):
    first = mailed(ada, weekly_offers)
    Client().post(urlsplit(first.headers["List-Unsubscribe"].strip("<>")).path)
    first.delete()

    accepted(ada, weekly_offers)
    accepted(ada, order_confirmation, channels_preferred=["email"])
    run_until_idle()

    assert OutboxMessage.objects.get(channel="email").headers["Subject"]


def test_one_type_tells_each_notification_its_own_words(ada, weekly_offers):
    person, said = loading.load_people([ada.pk])[ada.pk], []
    for title in ("One", "Two", "One"):
        notification = Notification(type=weekly_offers, payload={"title": title}, priority="LOW")
        for _ in range(2):
            delivery = Delivery(id=ids.new_id(), channel="email", user_id=ada.pk)
            said.append(messages.compose(delivery, notification, person, weekly_offers, None).parts["subject"])

    assert said == ["One", "One", "Two", "Two", "One", "One"]
