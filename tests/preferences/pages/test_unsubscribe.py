"""Unsubscribing by a link, as people and as mail programs do it."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from preferences import consent, links, loading
from preferences.models import ConsentRecord, User

CELL = ("offers", "email")


@pytest.fixture
def address(ada, offers):
    return urlsplit(links.unsubscribe_url(ada.pk, offers.pk, "email", ada.link_generation)).path


@pytest.fixture
def mail_program(db):
    """No cookies, no CSRF token, and checks as strict as in production."""
    return Client(enforce_csrf_checks=True)


def test_looking_changes_nothing_whatever_the_method(mail_program, address, ada):
    answers = [mail_program.get(address), mail_program.head(address), mail_program.options(address)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert b"Stop Offers by e-mail?" in answers[0].content
    assert not loading.choices(ada.pk) and not ConsentRecord.objects.exists()


def test_one_click_acts_within_the_request_and_a_repeat_changes_nothing(mail_program, address, ada):
    for _ in range(2):
        answer = mail_program.post(address, {"List-Unsubscribe": "One-Click"}, headers={"User-Agent": "mail/1"})
        assert answer.status_code == 200
        assert not answer.cookies

    assert loading.choices(ada.pk) == {CELL: False}
    line = ConsentRecord.objects.get()
    assert (line.subject, line.old, line.new) == ("category:offers × channel:email", "unset", "no")
    assert (line.source, line.actor, line.agent) == ("one_click", "user:ada", "mail/1")


@pytest.mark.parametrize("before", [True, None])
def test_undo_brings_back_what_was(mail_program, address, ada, offers, before):
    if before is not None:
        consent.set_preference(ada, category=offers, channel="email", enabled=before, source="api", actor="key:shop")
    page = mail_program.post(address).content.decode()
    assert f'name="undo" value="{"yes" if before else "unset"}"' in page

    answer = mail_program.post(address, {"undo": "yes" if before else "unset"})

    assert b"Undone" in answer.content
    assert loading.choices(ada.pk).get(CELL) is before


def test_an_undo_consents_to_nothing_that_was_not_there(mail_program, address, ada):
    mail_program.post(address, {"undo": "yes"})
    assert not loading.choices(ada.pk)

    mail_program.post(address)
    mail_program.post(address, {"undo": "yes"})
    assert loading.choices(ada.pk).get(CELL) is None


def test_a_no_that_was_said_elsewhere_is_not_undone(mail_program, address, ada, offers):
    mail_program.post(address)
    consent.set_preference(ada, category=offers, channel="email", enabled=True, source="api", actor="key:shop")
    consent.set_preference(ada, category=offers, channel="email", enabled=False, source="api", actor="key:shop")

    assert b'name="undo"' not in mail_program.get(address).content
    mail_program.post(address, {"undo": "yes"})

    assert loading.choices(ada.pk) == {CELL: False}


def test_after_links_were_revoked_it_leads_to_no_settings_without_signing_in(mail_program, address, ada):
    mailed = links.settings_url(ada.pk, 0).encode()
    assert mailed in mail_program.get(address).content

    links.revoke_all(ada)

    page = mail_program.get(address).content
    assert b'/preferences/"' in page
    assert mailed not in page and links.settings_url(ada.pk, 1).encode() not in page
    assert mail_program.post(address).status_code == 200
    assert loading.choices(ada.pk) == {CELL: False}


def test_a_required_channel_stays_and_says_so(mail_program, ada, orders):
    address = urlsplit(links.unsubscribe_url(ada.pk, orders.pk, "email", ada.link_generation)).path

    answer = mail_program.post(address, {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert b"cannot be turned off" in answer.content
    assert not loading.choices(ada.pk)


def test_other_categories_and_channels_are_left_alone(mail_program, address, ada, orders):
    consent.set_preference(ada, category=orders, channel="sms", enabled=True, source="api", actor="key:shop")

    mail_program.post(address)

    assert loading.choices(ada.pk) == {CELL: False, ("orders", "sms"): True}


def test_a_link_that_is_none_says_so(mail_program, address):
    assert mail_program.post(address[:-3] + "/").status_code == 404


def test_the_page_tells_no_other_site_its_address(mail_program, address):
    assert mail_program.get(address)["Referrer-Policy"] == "no-referrer"


def test_settings_open_by_the_link_without_signing_in(client, ada, offers):
    address = urlsplit(links.settings_url(ada.pk, ada.link_generation)).path
    assert client.get(address).status_code == 200

    answer = client.post(address, {"shown": "offers.in_app:on", "on": []}, headers={"Accept": "application/json"})

    assert answer.json()["cells"]["offers.in_app"] is False
    assert loading.choices(ada.pk) == {("offers", "in_app"): False}
    assert "_auth_user_id" not in client.session, "the link opens this page and nothing else"

    links.revoke_all(ada)
    assert client.get(address).status_code == 410
    assert client.post(address, {"shown": "offers.in_app:off", "on": "offers.in_app"}).status_code == 410
    assert User.objects.get(pk=ada.pk).link_generation == 1
