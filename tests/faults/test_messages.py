"""Messages that must not go out, or must not take others down with them."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults import ledger
from tests.faults.ledger import Book
from tests.faults.load import send
from tests.faults.providers import POISON
from tests.faults.sinks import Step
from tests.faults.stack import TIMINGS, Stack

PATIENT = {"RETRY_SCHEDULE": "0s,2s,2s,2s,2s,2s,2s,2s,2s,2s,2s"}
DIVIDED = {
    "type": "object",
    "properties": {"parts": {"type": "integer"}},
    "required": ["parts"],
    "examples": [{"parts": 2}],
}


def test_a_message_that_kills_its_worker_is_given_up_on_and_takes_nobody_along(stack: Stack, book: Book) -> None:
    web = stack.web()
    with stack.client(web) as client:
        options = client.get("/provider_accounts/mail").json()["options"]
        account = {"provider": "deadly", "channel": "email", "options": options}
        assert client.put("/provider_accounts/mail", json=account).status_code in {200, 201}
        for number in range(10):
            send(client, book, f"m{number}", number)
        deadly = send(client, book, f"{POISON} pill", 10)
        for number in range(11, 20):
            send(client, book, f"m{number}", number)
        stack.worker(LEASE_SECONDS="3")

        stack.until(lambda: _of(stack, deadly)["dead"], "the deadly message is given up on", seconds=120)
        send(client, book, "after", 21)
        stack.until_idle(120)

    assert _of(stack, deadly)["status"] == "failed"
    assert "ended its worker" in _of(stack, deadly)["error"]
    assert stack.statuses() == {"failed": 1, "sent": 20}
    ledger.assert_equal(book, stack)


@pytest.mark.faults_all
def test_a_text_that_breaks_on_one_persons_data_fails_for_that_person_alone(stack: Stack, book: Book) -> None:
    web = stack.web()
    stack.worker()
    contents = [
        {
            "channel": "email",
            "locale": "en",
            "parts": {"subject": "{{ title }}", "text": "{{ 10 | divided_by: parts }}"},
        }
    ]
    with stack.client(web) as client:
        _put(client, "/templates/shares", {"name": "Shares", "contents": contents})
        _put(client, "/types/SHARES", {"name": "Shares", "category": "orders", "template": "shares", "schema": DIVIDED})
        published = client.post("/templates/shares/publish")
        assert published.status_code == 200, published.text
        ids = [
            send(
                client, book, f"m{n}", n, type="SHARES", payload={"title": f"m{n}", "template_variables": {"parts": n}}
            )
            for n in range(6)
        ]

    stack.until(lambda: len(stack.mail.taken) == 5, "the others arrive")
    stack.until_idle()
    broken = _of(stack, ids[0])
    assert (broken["status"], broken["dead"], broken["attempts"]) == ("failed", True, 0)
    assert broken["error"].startswith("render:")
    ledger.assert_equal(book, stack, repeats=0)


def test_nothing_is_sent_after_the_person_said_no(stack: Stack, book: Book) -> None:
    stack.mail_line.drop()
    web = stack.web(**PATIENT)
    stack.worker(**PATIENT)
    with stack.client(web) as client:
        for number in range(10):
            send(client, book, f"m{number}", number)
        stack.until(lambda: len(stack.deliveries()) == 10, "all are planned")
        for number in range(5):
            answer = client.patch(f"/users/p{number}/preferences", json={"channels": {"email": False}})
            assert answer.status_code == 200, answer.text
    time.sleep(2 * float(TIMINGS["PROVIDER_TIMEOUT_SECONDS"]))  # what was being tried at that moment has failed
    stack.mail_line.heal()

    stack.until_idle()
    assert {call.to for call in stack.mail.calls} == {f"p{number}@example.com" for number in range(5, 10)}
    assert stack.statuses() == {"cancelled": 5, "sent": 5}
    ledger.assert_equal(book, stack, repeats=0)


def test_of_a_hundred_cancelled_while_they_leave_each_is_stopped_or_sent(stack: Stack, book: Book) -> None:
    stack.mail.always(Step(delay=0.05))
    web = stack.web()
    with stack.client(web) as client:
        ids = {f"m{number}": send(client, book, f"m{number}", number) for number in range(100)}
        stack.worker()
        stack.until(lambda: len(stack.mail.taken) >= 10, "some have left")

        words = list(reversed(ids))
        with ThreadPoolExecutor(4) as pool:
            answers = pool.map(lambda word: client.post(f"/notifications/{ids[word]}/cancel").status_code, words)
            asked = dict(zip(words, answers, strict=True))
    stack.until_idle()
    sent = {call.subject for call in stack.mail.taken}
    assert set(asked.values()) == {200, 409}
    assert {word for word, status in asked.items() if status == 409} == sent
    ledger.assert_equal(book, stack)


@pytest.mark.faults_all
def test_what_the_provider_may_have_taken_is_not_called_cancelled(stack: Stack, book: Book) -> None:
    patient = {"RETRY_SCHEDULE": "0s,1h,1s"}
    stack.mail.for_recipient("p1@example.com", Step(then="reset"), Step())
    web = stack.web(**patient)
    stack.worker(**patient)
    with stack.client(web) as client:
        in_doubt = send(client, book, "m1", 1)
        stack.until(lambda: _of(stack, in_doubt).get("reason") == "unknown_outcome", "its outcome is in doubt")
        answer = client.post(f"/notifications/{in_doubt}/cancel")

    assert answer.status_code == 409
    assert _of(stack, in_doubt)["status"] == "queued"


@pytest.mark.faults_all
def test_what_could_not_be_sent_in_time_expires_unsent(stack: Stack, book: Book) -> None:
    web = stack.web(**PATIENT)
    stack.mail_line.drop()
    stack.worker(**PATIENT)
    with stack.client(web) as client:
        first = send(client, book, "before")
        stack.until(lambda: stack.deliveries(first), "the worker is up")
        expires_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 12))
        late = send(client, book, "late", 1, expires_at=expires_at)
        stack.until(lambda: stack.deliveries(late), "it is planned")
        time.sleep(12)
    stack.mail_line.heal()

    stack.until_idle()
    assert _of(stack, late)["status"] == "expired"
    assert {call.subject for call in stack.mail.calls} == {"before"}


def _of(stack: Stack, notification_id: str) -> dict[str, Any]:
    """Return a notification's one delivery, or an empty one while it is not planned."""
    return next(iter(stack.deliveries(notification_id)), {"dead": False, "status": ""})


def _put(client: Any, path: str, said: dict[str, Any]) -> None:
    answer = client.put(path, json=said)
    assert answer.status_code in {200, 201}, answer.text
