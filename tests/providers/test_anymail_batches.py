"""Many mails of different words by one call of an e-mail service, and what becomes of each."""

from uuid import UUID

import pytest
from django.conf import settings

from notifications.providers import anymail_batches
from notifications.providers.base import File, Message
from tests.providers import batch_answers
from tests.providers.batching_services import PATHS, message, of_all, send, taken
from tests.providers.http_server import Says

services = pytest.mark.parametrize("esp", sorted(anymail_batches.BATCHES))


@services
def test_many_mails_are_one_call_and_each_keeps_its_own_words(esp):
    outcomes, (asked,) = send(esp, [message(number) for number in (1, 2, 3)], taken(esp))

    assert [(each.kind, each.provider_message_id) for each in outcomes] == [
        ("accepted", "id-1"),
        ("accepted", "id-2"),
        ("accepted", "id-3"),
    ]
    assert asked.path == PATHS[esp]
    for number, mail in enumerate(of_all(esp, asked), 1):
        said = str(mail)
        assert f"receiver{number}@example.com" in said
        assert f"Hello {number}" in said
        assert f"/u/{number}/" in said
        assert str(UUID(int=number)) in said  # the Message-ID, and what comes back with reports
        assert "hello@example.com" in said
        other = number % 3 + 1
        assert f"receiver{other}@" not in said
        assert f"/u/{other}/" not in said


@services
def test_one_mail_is_an_ordinary_call(esp):
    alone = {
        "postmark": {"ErrorCode": 0, "Message": "OK", "MessageID": "id-1", "To": "receiver1@example.com"},
        "resend": {"id": "id-1"},
        "mailjet": {
            "Messages": [{"Status": "success", "To": [{"Email": "receiver1@example.com", "MessageID": "id-1"}]}]
        },
        "mailtrap": {"success": True, "message_ids": ["id-1"]},
    }

    (outcome,), (asked,) = send(esp, [message(1)], Says(200, alone[esp]))

    assert (outcome.kind, outcome.provider_message_id) == ("accepted", "id-1")
    assert asked.path == {**PATHS, "postmark": "/email", "resend": "/emails", "mailtrap": "/send"}[esp]


@pytest.mark.parametrize(
    ("esp", "status", "answer", "wanted"),
    [
        ("postmark", 200, batch_answers.POSTMARK, ["accepted", "recipient", "recipient", "accepted"]),
        ("resend", 200, batch_answers.RESEND, ["accepted", "accepted", "recipient"]),
        ("mailjet", 400, batch_answers.MAILJET, ["accepted", "recipient", "account"]),
        ("mailjet", 200, batch_answers.MAILJET, ["accepted", "recipient", "account"]),
        ("mailtrap", 200, batch_answers.MAILTRAP, ["accepted", "recipient"]),
    ],
)
def test_only_the_mails_that_were_refused_have_failed(esp, status, answer, wanted):
    says = Says(status, answer, headers={"Content-Type": "application/json"})

    outcomes, asked = send(esp, [message(number) for number in range(1, len(wanted) + 1)], says)

    assert [each.kind for each in outcomes] == wanted
    assert len(asked) == 1
    ids = [each.provider_message_id for each in outcomes]
    assert [bool(id) for id in ids] == [kind == "accepted" for kind in wanted]
    assert len(set(filter(None, ids))) == wanted.count("accepted")
    assert not any("receiver" in each.error or "hello@" in each.error for each in outcomes)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "recipient"), (401, "account"), (404, "recipient"), (429, "throttled"), (500, "transient")],
)
def test_mailjet_says_of_each_mail_what_a_call_of_its_own_would_have_said(status, kind):
    refused = {"Status": "error", "Errors": [{"ErrorCode": "mj-0000", "StatusCode": status, "ErrorMessage": "…"}]}

    outcomes, _ = send("mailjet", [message(1), message(2)], Says(200, {"Messages": [refused, refused]}))

    assert [each.kind for each in outcomes] == [kind, kind]


def test_ids_go_to_the_mails_before_and_behind_one_that_resend_refused():
    answer = batch_answers.RESEND | {"errors": [{"index": 1, "message": "The `to` field is missing."}]}

    outcomes, _ = send("resend", [message(number) for number in (1, 2, 3)], Says(200, answer))

    first, second = (each["id"] for each in answer["data"])
    assert [each.provider_message_id for each in outcomes] == [first, "", second]


@pytest.mark.parametrize(
    ("code", "kind"),
    [(10, "account"), (100, "transient"), (401, "account"), (405, "account"), (412, "account"), (429, "throttled")],
)
def test_codes_of_postmark_that_blame_no_recipient(code, kind):
    said = {"ErrorCode": code, "Message": "…"}

    outcomes, _ = send("postmark", [message(1), message(2)], Says(200, [said, said]))
    (alone,), _ = send("postmark", [message(1)], Says(422, said))

    assert [each.kind for each in outcomes] == [kind, kind]
    assert alone.kind == kind


@services
@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (Says(401, {"message": "API key is invalid"}), "account"),
        (Says(429, b"", headers={"Retry-After": "7"}), "throttled"),
        (Says(503, b""), "transient"),
        (Says(504, b""), "unknown"),
        (Says(200, b"<html>"), "unknown"),
        (Says(200, {"data": []}), "unknown"),
        (Says(200, [{"ErrorCode": 0}]), "unknown"),
        (Says(then="reset"), "unknown"),
    ],
)
def test_what_befalls_the_call_befalls_each_of_its_mails(esp, says, kind):
    outcomes, asked = send(esp, [message(number) for number in (1, 2, 3)], says)

    assert {each.kind for each in outcomes} == {kind}
    assert {each.retry_after for each in outcomes} == ({7.0} if kind == "throttled" else {None})
    assert len(asked) == (2 if esp == "resend" and says.then == "reset" else 1)


@services
def test_an_answer_that_does_not_come_leaves_each_mail_unknown(esp):
    outcomes, asked = send(esp, [message(number) for number in (1, 2, 3)], Says(then="hang"), timeout=0.5)

    assert [each.kind for each in outcomes] == ["unknown"] * 3
    assert len(asked) == 1


@services
@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_call_that_is_refused_as_a_whole_is_made_mail_by_mail(esp, status):
    """So only the mail that the service minds fails for it: none of them was taken before."""

    def says(asked):
        if asked.path == PATHS[esp] and len(of_all(esp, asked)) > 1:
            return Says(status, {"message": "One of them is wrong."})
        if "receiver2@" in asked.body.decode():
            return Says(422, {"message": "receiver2@example.com is wrong."})
        number = 1 if "receiver1@" in asked.body.decode() else 3
        to = f"receiver{number}@example.com"
        return Says(
            200,
            {
                "postmark": {"ErrorCode": 0, "Message": "OK", "MessageID": "id", "To": to},
                "resend": {"id": "id"},
                "mailjet": {"Messages": [{"Status": "success", "To": [{"Email": to, "MessageID": "id"}]}]},
                "mailtrap": {"success": True, "message_ids": ["id"]},
            }[esp],
        )

    outcomes, asked = send(esp, [message(number) for number in (1, 2, 3)], says)

    assert [each.kind for each in outcomes] == ["accepted", "recipient", "accepted"]
    assert len(asked) == 4


def test_a_mail_that_nobody_can_write_does_not_hold_up_the_others():
    bad = Message(UUID(int=2), "email", "no address", {"subject": "", "text": "", "html": ""})

    def says(asked):
        to = asked.json["To"]
        return Says(200, {"ErrorCode": 0, "Message": "OK", "MessageID": "id", "To": to})

    outcomes, _ = send("postmark", [message(1), bad, message(3)], says)

    assert [each.kind for each in outcomes] == ["accepted", "recipient", "accepted"]


@pytest.mark.parametrize(("esp", "count", "calls"), [("mailjet", 120, [50, 50, 20]), ("resend", 120, [100, 20])])
def test_no_call_holds_more_than_the_service_takes(esp, count, calls):
    outcomes, asked = send(esp, [message(number) for number in range(1, count + 1)], taken(esp))

    assert sorted(len(of_all(esp, each)) for each in asked) == sorted(calls)
    assert {each.kind for each in outcomes} == {"accepted"}
    assert len(outcomes) == count


def test_large_mails_share_a_call_only_up_to_its_size():
    batch = anymail_batches.BATCHES["postmark"]
    file = File("a.pdf", "application/pdf", bytes(9_000_000))

    found = anymail_batches.groups([message(number, files=(file,)) for number in range(1, 8)], batch)

    assert found == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_mail_with_files_goes_alone_where_no_batch_carries_them():
    file = File("a.pdf", "application/pdf", b"%PDF")

    def says(asked):
        return taken("resend")(asked) if asked.path == "/emails/batch" else Says(200, {"id": "alone"})

    outcomes, asked = send("resend", [message(1), message(2, files=(file,)), message(3)], says)

    assert [each.provider_message_id for each in outcomes] == ["id-1", "alone", "id-2"]
    assert sorted((each.path, len(each.json) if each.path.endswith("batch") else 1) for each in asked) == [
        ("/emails", 1),
        ("/emails/batch", 2),
    ]


def test_resend_checks_each_mail_for_itself_and_knows_a_call_that_is_made_again():
    mails = [message(1), message(2)]
    _, (first,) = send("resend", mails, taken("resend"))
    _, (other,) = send("resend", [message(1), message(3)], taken("resend"))
    _, broken = send("resend", mails, Says(then="reset"), taken("resend"))

    assert first.headers["x-batch-validation"] == "permissive"
    keys = [each.headers["idempotency-key"] for each in broken]
    assert keys == [first.headers["idempotency-key"]] * 2
    assert other.headers["idempotency-key"] not in keys


def test_a_broken_connection_to_resend_is_asked_again_and_the_mails_are_known():
    outcomes, asked = send("resend", [message(1), message(2)], Says(then="reset"), taken("resend"))

    assert [each.kind for each in outcomes] == ["accepted", "accepted"]
    assert len(asked) == 2


def test_a_call_that_resend_is_still_at_work_on_is_not_said_to_have_failed():
    says = Says(409, {"statusCode": 409, "name": "concurrent_idempotent_requests", "message": "…"})

    outcomes, _ = send("resend", [message(1), message(2)], says)

    assert [each.kind for each in outcomes] == ["unknown", "unknown"]


def test_mailtraps_sandbox_has_a_path_of_its_own():
    _, (asked,) = send("mailtrap", [message(1), message(2)], taken("mailtrap"), sandbox_id=7)

    assert asked.path == "/batch/7"


@services
def test_the_docs_name_what_a_call_holds(esp):
    batch = anymail_batches.BATCHES[esp]
    page = (settings.BASE_DIR / "docs" / "providers" / "email-services.md").read_text()

    assert f"| `{esp}` | {batch.most} mails, {batch.most_bytes // anymail_batches.MEGABYTE} MB |" in page
    row = next(line for line in page.splitlines() if line.startswith(f"| `{esp}` | {batch.most} mails"))
    assert row.endswith("| – |" if batch.files else "| mails with files |")
