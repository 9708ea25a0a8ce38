"""Files are fetched from nowhere but where the guard of egress lets us."""

from ipaddress import ip_network

import pytest

from notifications import delivery
from notifications.attachments import loading
from tests.providers.http_server import Says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]

PDF = b"%PDF-1.7 an invoice"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused_and_nothing_is_asked(mailed, sent, monkeypatch, address):
    asked = []

    async def resolver(host):
        asked.append(host)
        return ["93.184.215.14", address]

    monkeypatch.setattr(loading, "resolver", resolver)
    row = mailed({"url": "https://files.example.com/invoice.pdf"})
    delivery.deliver_due("email")

    row.refresh_from_db()
    assert (row.status, row.dead) == ("failed", True)
    assert row.error == "Attachment 1: the URL is not allowed. The host is not on the public internet."
    assert asked == ["files.example.com"] and sent == []


def test_this_machine_is_refused_once_it_is_no_longer_allowed(mailed, files, sent, settings):
    server = files(Says(200, PDF))
    row = mailed({"url": f"{server.url}/invoice.pdf"})
    settings.EGRESS_ALLOW = [ip_network("10.1.2.0/24")]

    delivery.deliver_due("email")

    row.refresh_from_db()
    assert (row.status, server.asked, sent) == ("failed", [], [])


def test_a_name_is_looked_up_once_and_the_connection_goes_where_that_led(mailed, files, sent, monkeypatch):
    server = files(Says(200, PDF))
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    async def resolver(host):
        return answers.pop(0)

    monkeypatch.setattr(loading, "resolver", resolver)
    mailed({"url": f"http://files.example.com:{server.port}/invoice.pdf"})
    delivery.deliver_due("email")

    assert len(sent) == 1 and len(answers) == 1
    assert server.asked[0].headers["host"] == f"files.example.com:{server.port}"


def test_a_host_that_is_not_found_is_looked_up_again_later(mailed, sent, monkeypatch):
    async def resolver(host):
        raise OSError

    monkeypatch.setattr(loading, "resolver", resolver)
    row = mailed({"url": "https://files.example.com/invoice.pdf"})
    delivery.deliver_due("email")

    row.refresh_from_db()
    assert (row.status, row.error) == ("queued", "Attachment 1: the URL's host was not found.")
