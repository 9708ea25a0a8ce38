"""Attachments on the way out: they go with their mail, or the mail says why it cannot go."""

import base64
from datetime import timedelta

import pytest

from notifications import delivery
from notifications.models import AccountState, AttachmentContent, Attempt, Delivery, OutboxMessage
from tests.flow import let_time_pass, run_until_idle
from tests.providers.http_server import Says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("outbox_accounts")]

PDF = b"%PDF-1.7 an invoice"


def files_of(message):
    return [(file.filename, file.content_type, file.content) for file in message.files]


def test_files_are_fetched_and_go_with_the_mail_beside_those_that_were_given(mailed, files, sent):
    server = files(Says(200, PDF, headers={"Content-Type": "application/octet-stream"}))

    row = mailed(
        {"url": f"{server.url}/files/a%2Fb?sig=x%2By", "filename": "invoice.pdf"},
        {"content": base64.b64encode(b"a,b\n").decode(), "filename": "list.csv"},
    )
    delivery.deliver_due("email")

    assert files_of(sent[0]) == [("invoice.pdf", "application/pdf", PDF), ("list.csv", "text/csv", b"a,b\n")]
    assert [(asked.method, asked.path) for asked in server.asked] == [("GET", "/files/a%2Fb?sig=x%2By")]
    assert server.asked[0].headers["host"] == f"127.0.0.1:{server.port}"
    assert "authorization" not in server.asked[0].headers and "cookie" not in server.asked[0].headers
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("sent", 1)


def test_test_mode_and_the_outbox_show_what_would_have_gone(mailed, files):
    server = files(Says(200, PDF))

    mailed({"url": f"{server.url}/invoice.pdf"}, mode="test")
    run_until_idle()

    assert OutboxMessage.objects.get().attachments == [
        {"filename": "invoice.pdf", "content_type": "application/pdf", "size": len(PDF)}
    ]


def test_a_server_says_what_a_file_without_a_suffix_is(mailed, files, sent):
    server = files(Says(200, PDF, headers={"Content-Type": "application/pdf; x=y"}))

    mailed({"url": f"{server.url}/download"}, {"url": f"{server.url}/"})
    delivery.deliver_due("email")

    assert files_of(sent[0]) == [("download", "application/pdf", PDF), ("attachment", "application/pdf", PDF)]


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (Says(404), "Attachment 1: the server answered 404."),
        (Says(403), "Attachment 1: the server answered 403."),
        (Says(204), "Attachment 1: the server answered 204."),
        (
            Says(302, headers={"Location": "http://127.0.0.1:6379/"}),
            "Attachment 1: the server answered 302, and redirects are not followed.",
        ),
        (Says(200, b""), "Attachment 1: the server sent an empty file."),
        (Says(200, b"MZ" + b"\0" * 99), "Attachment 1: it is a program, which mailboxes refuse."),
        (
            Says(200, b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
            "Attachment 1: the server sent it packed, though it was asked not to.",
        ),
        (
            Says(200, b"<p>Sign in", headers={"Content-Type": "text/html; charset=utf-8"}),
            "Attachment 1: the server sent a web page, not application/pdf.",
        ),
    ],
)
def test_what_can_never_be_had_fails_the_mail_and_says_why(mailed, files, sent, says, words):
    server = files(says)

    row = mailed({"url": f"{server.url}/invoice.pdf"})
    delivery.deliver_due("email")

    row.refresh_from_db()
    assert (row.status, row.dead, row.error, row.attempts) == ("failed", True, words, 1)
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.outcome, attempt.error) == (1, "recipient", words)
    assert attempt.finished_at is not None and attempt.provider_account_id is None
    assert sent == [] and len(server.asked) == 1
    assert [event.kind for event in row.events.all()][-1] == "failed"


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (Says(500), "the server answered 500."),
        (Says(503, headers={"Retry-After": "90"}), "the server answered 503."),
        (Says(429), "the server answered 429."),
        (Says(then="reset"), "the connection to its server broke."),
        (Says(200, PDF, then="cut"), "the connection to its server broke."),
    ],
)
def test_what_may_pass_is_tried_again_and_then_goes_out(mailed, files, sent, settings, says, words):
    settings.RETRY_SCHEDULE = [timedelta(), timedelta(minutes=1), timedelta(minutes=1)]
    again = 1 if says.then == "reset" else 0  # aiohttp asks once more when a connection breaks without an answer
    server = files(says, *[says] * again, Says(200, PDF))

    row = mailed({"url": f"{server.url}/invoice.pdf"})
    delivery.deliver_due("email")

    row.refresh_from_db()
    assert (row.status, row.attempts, row.error) == ("queued", 1, f"Attachment 1: {words}")
    if says.headers:
        assert row.due_at > Attempt.objects.get().finished_at + timedelta(seconds=89)
    assert not AccountState.objects.exclude(failures=0).exists()  # no account is to blame
    let_time_pass(timedelta(minutes=2))
    delivery.deliver_due("email")
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("sent", 2)
    assert sorted(Attempt.objects.values_list("number", "outcome")) == [(1, "transient"), (2, "accepted")]
    assert files_of(sent[0]) == [("invoice.pdf", "application/pdf", PDF)]


def test_tries_end_with_the_schedule(mailed, files, sent, settings):
    settings.RETRY_SCHEDULE = [timedelta(), timedelta()]
    server = files(Says(500))

    row = mailed({"url": f"{server.url}/invoice.pdf"})
    run_until_idle()

    row.refresh_from_db()
    assert (row.status, row.dead, row.attempts) == ("failed", True, 2)
    assert len(server.asked) == 2 and sent == []


def test_a_url_is_asked_once_for_all_mails_of_a_sub_batch(mailed, files, sent, ada, bob):
    server = files(Says(200, PDF))

    for user in (ada, bob, ada):
        mailed({"url": f"{server.url}/terms.pdf"}, user=user)
    delivery.deliver_due("email")

    assert len(sent) == 3 and all(files_of(each) == [("terms.pdf", "application/pdf", PDF)] for each in sent)
    assert len(server.asked) == 1


def test_a_content_that_is_no_longer_kept_fails_the_mail(mailed, sent):
    row = mailed({"content": "aGk=", "filename": "a.txt"})
    AttachmentContent.objects.all().delete()

    delivery.deliver_due("email")

    row.refresh_from_db()
    assert (row.status, row.error) == ("failed", "Attachment 1: its content is no longer kept.")


def test_what_may_have_been_sent_stays_with_its_account_while_its_file_is_missing(mailed, files, sent, settings):
    settings.RETRY_SCHEDULE = [timedelta()] * 9
    server = files(Says(500), Says(404))
    row = mailed({"url": f"{server.url}/invoice.pdf"})
    Delivery.objects.filter(id=row.id).update(reason="unknown_outcome")

    delivery.deliver_due("email")
    row.refresh_from_db()
    assert (row.status, row.reason) == ("queued", "unknown_outcome")
    assert row.provider_account_id is not None
    delivery.deliver_due("email")

    row.refresh_from_db()
    assert (row.status, row.dead) == ("failed", True)
    assert row.error == "Attachment 1: the server answered 404. The provider's earlier answer was lost."
