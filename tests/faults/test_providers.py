"""Providers that refuse, hang, break off or ask for patience."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.faults import ledger
from tests.faults.ledger import Book
from tests.faults.load import send
from tests.faults.sinks import Step
from tests.faults.stack import Stack

LATER = Step.refuse("451 4.3.0 Try again later")
TEXTED: dict[str, Any] = {"channels_preferred": ["sms"]}


def phone(number: int) -> str:
    return f"+49301234{number:04}"


@pytest.mark.faults_all
def test_a_provider_that_refuses_for_now_is_tried_again_until_it_takes_the_message(stack: Stack, book: Book) -> None:
    stack.mail.for_recipient("p1@example.com", LATER, LATER, Step())
    web = stack.web(RETRY_SCHEDULE="0s,6s,6s,6s")
    stack.worker(RETRY_SCHEDULE="0s,6s,6s,6s")
    with stack.client(web) as client:
        notification_id = send(client, book, "m1", 1)
        stack.until(lambda: stack.mail.to("p1@example.com"), "the first try")
        shown = stack.until(lambda: _waiting(client, notification_id), "the next try is announced")

    stack.until(lambda: stack.mail.taken, "the mail arrives")
    stack.until_idle()
    (delivery,) = stack.deliveries(notification_id)
    assert "451" in shown["error"] and shown["attempts"] < 3
    assert [each["outcome"] for each in stack.attempts(delivery["id"])] == ["transient", "transient", "accepted"]
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.faults_all
def test_a_provider_that_always_refuses_makes_a_dead_letter_after_the_published_tries(stack: Stack, book: Book) -> None:
    stack.mail.for_recipient("p1@example.com", LATER)
    web = stack.web()
    stack.worker()
    with stack.client(web) as client:
        notification_id = send(client, book, "m1", 1)
        send(client, book, "m2", 2)

    stack.until_idle()
    (delivery,) = stack.deliveries(notification_id)
    assert (delivery["status"], delivery["dead"], delivery["attempts"]) == ("failed", True, 5)
    assert "451" in delivery["error"]
    assert len(stack.mail.to("p1@example.com")) == 5
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.faults_all
@pytest.mark.parametrize("fault", ["drop", "stall"])
def test_a_provider_that_cannot_be_reached_delays_and_loses_nothing(stack: Stack, book: Book, fault: str) -> None:
    patient = {"RETRY_SCHEDULE": "0s,2s,2s,2s,2s,2s,2s,2s,2s,2s,2s"}
    web = stack.web(**patient)
    getattr(stack.mail_line, fault)()
    stack.worker(**patient)
    with stack.client(web) as client:
        for number in range(10):
            send(client, book, f"m{number}", number)
    stack.until(lambda: stack.database.rows("SELECT 1 FROM notifications_attempt"), "the first try")
    time.sleep(3)
    assert stack.mail.calls == []
    stack.mail_line.heal()

    stack.until(lambda: len(stack.mail.taken) >= 10, "all mails arrive")
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.parametrize(
    "then", ["hang", *(pytest.param(then, marks=pytest.mark.faults_all) for then in ("drip", "reset"))]
)
def test_a_provider_that_never_ends_its_answer_holds_up_nobody_else(stack: Stack, book: Book, then: str) -> None:
    stack.mail.for_recipient("p1@example.com", Step(then=then), Step())
    web = stack.web()
    stack.worker()
    with stack.client(web) as client:
        for number in range(30):
            send(client, book, f"m{number}", number)
        started = time.monotonic()
        stack.until(lambda: len({call.subject for call in stack.mail.taken}) == 30, "all others arrive")
        assert time.monotonic() - started < 20
        stack.until_idle()

    (first, second) = stack.mail.to("p1@example.com")
    assert first.message_id == second.message_id
    ledger.assert_equal(book, stack, repeats=1)


@pytest.mark.faults_all
def test_a_provider_that_is_merely_slow_costs_no_message_its_tries(stack: Stack, book: Book) -> None:
    stack.mail.always(Step(delay=0.7))  # four at a time: of a sub-batch of 20, eight are done in the provider's time
    web = stack.web()
    with stack.client(web) as client:
        for number in range(60):
            send(client, book, f"m{number}", number)
    stack.worker()

    stack.until_idle(120)
    assert stack.statuses() == {"sent": 60}
    ledger.assert_equal(book, stack)
    circuits = stack.database.rows("SELECT opened_at FROM notifications_accountstate WHERE opened_at IS NOT NULL")
    assert circuits == []


@pytest.mark.faults_all
@pytest.mark.parametrize("form", ["seconds", "HTTP-date"])
def test_a_provider_that_asks_for_patience_hears_from_nobody_before(stack: Stack, book: Book, form: str) -> None:
    web = stack.web()
    stack.worker()
    with stack.client(web) as client:
        send(client, book, "m0", 0, **TEXTED)
        stack.until(lambda: stack.http.taken, "the worker is up")
        until = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(seconds=8)
        stack.http.for_recipient(phone(1), Step.refuse(f"429 Slow Down\r\nRetry-After: {_wait(until, form)}"), Step())
        send(client, book, "m1", 1, **TEXTED)
        stack.until(lambda: stack.http.to(phone(1)), "the provider asks for patience")
        stack.until(lambda: stack.statuses().get("queued"), "the wait is on record")
        for number in range(2, 8):
            send(client, book, f"m{number}", number, **TEXTED)

    stack.until(lambda: len(stack.http.taken) == 8, "all texts arrive")
    remaining = (until - datetime.now(tz=UTC)).total_seconds()
    late = [call for call in stack.http.calls[2:] if call.at < time.monotonic() + remaining]
    assert [call.subject for call in late] == []
    stack.until_idle()
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.faults_all
def test_a_second_account_takes_over_while_the_first_is_down_and_gives_back(stack: Stack, book: Book) -> None:
    spare = stack.second_mail_sink()
    patient = {"RETRY_SCHEDULE": ",".join(["0s", *["1s"] * 60])}
    web = stack.web(**patient)
    with stack.client(web) as client:
        options = {"host": "127.0.0.1", "port": spare.port, "security": "none", "from": "Shop <hello@example.com>"}
        account = {"provider": "smtp", "channel": "email", "options": options, "order": 20}
        assert client.put("/provider_accounts/spare", json=account).status_code in {200, 201}
        stack.worker(**patient)
        send(client, book, "before", 0)
        stack.until(lambda: stack.mail.taken, "the first account sends")

        stack.mail_line.drop()
        for number in range(20):
            send(client, book, f"down-{number}", number)
        stack.until(lambda: len(spare.taken) == 20, "the second account takes over")
        stack.mail_line.heal()
        time.sleep(30)  # the circuit stays open so long
        for number in range(10):
            send(client, book, f"back-{number}", number)
            time.sleep(0.5)

    stack.until_idle()
    assert len(stack.mail.taken) > 1
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.faults_all
def test_what_a_provider_may_have_taken_never_goes_to_another_one(stack: Stack, book: Book) -> None:
    spare = stack.second_mail_sink()
    web = stack.web()
    with stack.client(web) as client:
        options = {"host": "127.0.0.1", "port": spare.port, "security": "none", "from": "Shop <hello@example.com>"}
        account = {"provider": "smtp", "channel": "email", "options": options, "order": 20}
        assert client.put("/provider_accounts/spare", json=account).status_code in {200, 201}
        stack.mail.always(Step(then="reset"))
        stack.worker()
        for number in range(10):
            send(client, book, f"m{number}", number)
        stack.until(lambda: len(stack.mail.taken) >= 10, "the first account's answers are lost")
        stack.mail.always(Step())

    stack.until_idle(120)
    assert not {call.subject for call in spare.taken} & {call.subject for call in stack.mail.taken}
    ledger.assert_equal(book, stack)


@pytest.mark.faults_all
def test_a_refused_recipient_fails_at_once_and_a_refused_account_holds_its_messages(stack: Stack, book: Book) -> None:
    stack.mail.for_recipient("p1@example.com", Step.refuse("550 5.1.1 No such user"))
    web = stack.web()
    stack.worker()
    with stack.client(web) as client:
        nobody = send(client, book, "m1", 1)
        send(client, book, "m2", 2)
        stack.until(lambda: stack.mail.taken, "the other mail arrives")
        stack.until_idle()
        (failed,) = stack.deliveries(nobody)
        assert (failed["status"], failed["attempts"], failed["dead"]) == ("failed", 1, False)

        stack.mail.always(Step.refuse("535 5.7.8 Credentials invalid"))
        held = send(client, book, "m3", 3)
        stack.until(lambda: stack.deliveries(held) and stack.deliveries(held)[0]["status"] == "held", "it is held")
    (delivery,) = stack.deliveries(held)
    assert (delivery["reason"], delivery["dead"]) == ("account", False)
    assert "535" in delivery["error"]
    ledger.assert_equal(book, stack, repeats=0)


@pytest.mark.faults_all
def test_of_a_batch_only_what_failed_is_sent_again(stack: Stack, book: Book) -> None:
    stack.http.for_recipient(phone(1), Step.refuse("500 Broken"), Step())
    stack.http.for_recipient(phone(2), Step.refuse("400 No Such Number"))
    stack.http.for_recipient(phone(3), Step.refuse("503 Busy"), Step.refuse("503 Busy"), Step())
    web = stack.web()
    with stack.client(web) as client:
        for number in range(15):
            send(client, book, f"m{number}", number, **TEXTED)
    stack.worker()

    stack.until_idle()
    tries = [len(stack.http.to(phone(number))) for number in range(15)]
    assert tries == [1, 2, 1, 3, *[1] * 11]
    ledger.assert_equal(book, stack, repeats=0)


def _wait(until: datetime, form: str) -> str:
    if form == "seconds":
        return str(int((until - datetime.now(tz=UTC)).total_seconds()) + 1)
    return format_datetime(until, usegmt=True)


def _waiting(client: Any, notification_id: str) -> dict[str, Any] | None:
    """Return the delivery as the API shows it while it waits for its next try."""
    (delivery, *_) = client.get(f"/notifications/{notification_id}").json()["deliveries"] or [None]
    if delivery and delivery["next_attempt_at"] and delivery["error"]:
        found: dict[str, Any] = delivery
        return found
    return None
