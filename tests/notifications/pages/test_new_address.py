"""A new address on the settings page: it gets a link or a code and nothing else, until its owner has answered."""

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from notifications import acceptance, explain
from notifications.models import Delivery, Notification, OutboxMessage
from preferences import consent, contact_points, links, suppressions
from preferences.consent import Origin
from preferences.models import ConsentRecord, ContactPoint, User
from preferences.suppressions import Unwanted
from templates_app.models import Type
from tests.flow import run_until_idle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]
ADD, CONFIRM = "/preferences/addresses/add/", "/preferences/addresses/confirm/"


@pytest.fixture
def browser(ada: User) -> Client:
    cache.clear()
    client = Client()
    client.force_login(ada)
    return client


def added(browser: Client, address: str) -> ContactPoint:
    """Type an address into the page; return it as it is kept."""
    assert browser.post(ADD, {"address": address}).status_code == 302
    run_until_idle()
    return ContactPoint.objects.order_by("-created_at", "-id")[0]


def page(browser: Client, base: str = "/preferences/") -> str:
    return browser.get(base).content.decode()


def sent_to(address: str) -> list[dict[str, Any]]:
    return [row.parts for row in OutboxMessage.objects.order_by("id") if row.to == address]


def link_to(address: str) -> str:
    found = re.search(re.escape(settings.PUBLIC_URL) + r"(/confirm/\S+)", sent_to(address)[-1]["text"])
    assert found
    return found[1]


def code_to(address: str) -> str:
    found = re.search(r"\b\d{6}\b", sent_to(address)[-1]["text"])
    assert found
    return found[0]


def test_the_mailed_link_confirms_by_a_press_of_its_button_and_once(browser: Client, client: Client) -> None:
    point = added(browser, " Ada@Work.example ")
    assert "We sent a link to A•••@work.example." in page(browser)
    link = link_to("Ada@work.example")

    for look in (client.get, client.head, client.get):
        assert look(link).status_code == 200
    assert ContactPoint.objects.get(pk=point.pk).confirmed_at is None
    shown = client.get(link).content.decode()
    assert "A•••@work.example" in shown and "Ada@work.example" not in shown
    assert '<meta name="robots" content="noindex, nofollow">' in shown

    pressed = client.post(link)
    assert "Confirmed" in pressed.content.decode()
    assert pressed["Referrer-Policy"] == "strict-origin"
    assert ContactPoint.objects.get(pk=point.pk).disabled_at is None
    assert [client.get(link).status_code, client.post(link).status_code] == [410, 410]
    line = ConsentRecord.objects.get(new="confirmed")
    assert (line.subject, line.source) == ("contact_point:email", "confirmation")


def test_the_question_goes_to_the_new_address_alone(browser: Client, ada: User) -> None:
    added(browser, "ada@work.example")

    assert len(sent_to("ada@work.example")) == 1
    assert OutboxMessage.objects.count() == 1, "nothing to the addresses that the person has already"
    assert explain.of(Notification.objects.get())["decisions"][0]["rule"] == "asked_for"


def test_the_question_opens_nothing_of_the_persons_to_a_stranger(browser: Client, ada: User) -> None:
    """Whoever mistypes their address must not send somebody else the key to their settings."""
    for address in ("ada@work.example", "+493012345678"):
        added(browser, address)
        text = str([sent_to(address), [row.headers for row in OutboxMessage.objects.all()]])
        assert settings.PUBLIC_URL + "/u/" not in text
        assert settings.PUBLIC_URL + "/preferences/" in text or address.startswith("+")
        assert not re.search(r"/preferences/[^/\s\"]+/", text)
        assert "Ada" not in text.replace("ada@", "")


def test_until_it_is_confirmed_nothing_else_goes_there(browser: Client, ada: User, order_confirmation: Type) -> None:
    added(browser, "ada@work.example")
    acceptance.accept(acceptance.Request(user=ada, type=order_confirmation, payload={"title": "Yes"}))
    run_until_idle()
    assert len(sent_to("ada@example.com")) == 1
    assert len(sent_to("ada@work.example")) == 1

    Client().post(link_to("ada@work.example"))
    acceptance.accept(acceptance.Request(user=ada, type=order_confirmation, payload={"title": "Yes"}))
    run_until_idle()

    assert len(sent_to("ada@work.example")) == 2


def test_somebody_whose_only_address_is_unconfirmed_is_told_so(
    browser: Client, ada: User, order_confirmation: Type
) -> None:
    ada.contact_points.all().delete()
    added(browser, "ada@work.example")

    told = acceptance.accept(acceptance.Request(user=ada, type=order_confirmation, payload={"title": "Yes"}))
    run_until_idle()

    skipped = Delivery.objects.get(notification_id=told.notification.id, channel="email")
    assert (skipped.status, skipped.reason) == ("skipped", "unconfirmed_address")


def test_a_texted_code_confirms_a_number_and_a_wrong_one_says_so(browser: Client) -> None:
    point = added(browser, "+49 30 12345678")
    assert "We sent a code to +49•••78." in page(browser)
    code = code_to("+493012345678")

    wrong = browser.post(CONFIRM, {"point": str(point.pk), "code": f"{(int(code) + 1) % 10**6:06}"})
    assert wrong.status_code == 422
    assert "This code is wrong, or its time is over." in wrong.content.decode()

    browser.post(CONFIRM, {"point": str(point.pk), "code": code})
    assert "Confirmed. +49•••78 is in use." in page(browser)
    assert ContactPoint.objects.get(pk=point.pk).disabled_at is None


def test_a_question_goes_out_past_every_switch_and_cap(browser: Client, ada: User) -> None:
    """The person has just asked for it themselves."""
    origin = Origin(source="api", actor="key:shop")
    caps = consent.Wish("frequency_caps", [{"channel": "sms", "category": None, "max": 1, "per": "day"}])
    off = [consent.Choice(False, channel="sms")]
    consent.apply(ada, choices=off, silences=[consent.Silence("forever")], wishes=[caps], origin=origin)

    added(browser, "+493012345678")
    added(browser, "+493012345679")

    assert code_to("+493012345678") and code_to("+493012345679")


def test_a_new_link_can_be_asked_for_and_not_without_end(browser: Client) -> None:
    point = added(browser, "ada@work.example")
    first = link_to("ada@work.example")

    assert browser.post(CONFIRM, {"ask": str(point.pk)}).status_code == 302
    run_until_idle()
    assert browser.post(CONFIRM, {"ask": str(point.pk)}).status_code == 302
    refused = browser.post(CONFIRM, {"ask": str(point.pk)})

    assert refused.status_code == 422
    assert "Try again in an hour." in refused.content.decode()
    assert Client().get(first).status_code == 410


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter an e-mail address or a phone number."),
        ("ada@", "This is no e-mail address."),
        ("ada@work.example\nBcc: eve@example.com", "This is no e-mail address."),
        ("030 123456", "This is no complete phone number."),
        ("+49\0", "This is no complete phone number."),
        ("ADA@example.com", "You have this address already."),
    ],
)
def test_what_is_no_address_is_said_beside_the_field(browser: Client, typed: str, said: str) -> None:
    refused = browser.post(ADD, {"address": typed})

    assert refused.status_code == 422
    text = refused.content.decode()
    assert said in text
    assert 'aria-describedby="new-address-hint new-address-error"' in text
    assert not Notification.objects.exists()


def test_an_address_that_others_have_looks_no_different(browser: Client, bob: User) -> None:
    stop = Unwanted("email", "stopped@example.com", "complaint")
    suppressions.suppress([stop], origin=Origin(source="receipt", actor="system"))
    pages = []
    for address in ("bob@example.com", "nobody@example.com", "stopped@example.com"):
        added(browser, address)
        shown = re.sub(r'value="[^"]{64}"|[0-9a-f-]{36}|[bns]•••@example.com', "…", page(browser))
        pages.append(shown[shown.index('id="addresses"') : shown.index('id="new-address"')])
        browser.post(
            "/preferences/addresses/", {"remove": str(ContactPoint.objects.get(disabled_reason="unconfirmed").pk)}
        )
        page(browser)

    assert pages[0] == pages[1] == pages[2]
    assert sent_to("stopped@example.com") == []
    assert "Confirm an address" not in page(browser, "/preferences/history/"), "it would say which was not sent"
    own = json.loads(browser.post("/preferences/export/").getvalue())
    fates = [{each: told[each] for each in ("status", "decisions", "deliveries")} for told in own["notifications"]]
    assert fates == [{"status": "completed", "decisions": [], "deliveries": []}] * 3


def test_confirming_an_erased_address_is_opting_in_again(browser: Client, ada: User, order_confirmation: Type) -> None:
    gone = Unwanted("email", "ada@work.example", "erased")
    suppressions.suppress([gone], origin=Origin(source="api", actor="key:shop"))
    point = added(browser, "ada@work.example")
    assert suppressions.preview([gone]) == set(), "asking alone opts nobody in"

    Client().post(link_to("ada@work.example"))
    acceptance.accept(acceptance.Request(user=ada, type=order_confirmation, payload={"title": "Yes"}))
    run_until_idle()

    assert len(sent_to("ada@work.example")) == 2
    assert ContactPoint.objects.get(pk=point.pk).disabled_at is None


def test_a_link_from_a_mail_adds_nothing(ada: User, client: Client) -> None:
    base = links.settings_url(ada.pk, 0).removeprefix(settings.PUBLIC_URL)

    assert client.post(f"{base}addresses/add/", {"address": "eve@example.com"}).status_code == 404
    assert "Sign in to add an address" in page(client, base)
    assert ContactPoint.objects.count() == 2


def test_nobody_confirms_for_others(browser: Client, bob: User) -> None:
    theirs = contact_points.propose(bob, channel="sms", address="+493012345678")

    browser.post(CONFIRM, {"ask": str(theirs.pk)})
    browser.post(CONFIRM, {"point": str(theirs.pk), "code": "000000"})
    browser.post(CONFIRM, {"point": "x", "code": "000000"})

    assert not Notification.objects.exists()


def test_marketing_waits_for_double_opt_in_and_the_page_offers_it(
    browser: Client, ada: User, weekly_offers: Type
) -> None:
    ContactPoint.objects.exclude(channel="email").delete()
    assert "Send me a link to confirm it" not in page(browser)
    weekly_offers.category.double_opt_in = True
    weekly_offers.category.save()

    told = acceptance.accept(acceptance.Request(user=ada, type=weekly_offers, payload={"title": "Cheap"}))
    run_until_idle()
    assert Delivery.objects.get(notification_id=told.notification.id, channel="email").reason == "unconfirmed_address"
    decided = explain.of(told.notification)["decisions"]
    [decision] = [each for each in decided if each["channel"] == "email"]
    assert decision["text"] == "You have not confirmed your e-mail address, so nothing of Offers is sent there."
    assert "In use. For Offers it must be confirmed first." in page(browser)

    browser.post(CONFIRM, {"ask": str(ContactPoint.objects.get().pk)})
    run_until_idle()
    Client().post(link_to("ada@example.com"))
    acceptance.accept(acceptance.Request(user=ada, type=weekly_offers, payload={"title": "Cheap"}))
    run_until_idle()

    assert [parts["subject"] for parts in sent_to("ada@example.com")][-1] == "Cheap"
    assert "In use and confirmed" in page(browser)


def test_the_question_speaks_the_persons_language(bob: User) -> None:
    browser = Client()
    browser.force_login(bob)

    added(browser, "+493012345678")

    assert "Ihr Code ist" in sent_to("+493012345678")[0]["text"]
