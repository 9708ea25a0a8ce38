"""What services report: twice, at once, too early, and to web processes that die over it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
from twilio.request_validator import RequestValidator

from tests.faults.ledger import Book
from tests.faults.load import send
from tests.faults.processes import Process
from tests.faults.stack import Stack
from tests.providers.http_server import Asked, Says

SID, TOKEN = "AC" + "0" * 32, "12345"
TEXTED = {"channels_preferred": ["sms"]}


class Twilio:
    """A stand-in of Twilio: it takes texts, slowly if it shall, and reports what a test wants."""

    def __init__(self, stack: Stack, delay: float = 0.0) -> None:
        self.stack, self.delay = stack, delay
        self.taken: dict[str, str] = {}  # the delivery's id by the message's
        self._lock = threading.Lock()
        self.url = stack.play(self._answer)

    def _answer(self, asked: Asked) -> Says:
        sid = f"SM{uuid4().hex}"
        with self._lock:
            self.taken[sid] = asked.form["StatusCallback"].partition("delivery=")[2].partition("#")[0]
        return Says(201, {"sid": sid, "status": "queued"}, delay=self.delay)

    def report(self, web: Process, sid: str, status: str, *, names_us: bool = True) -> int:
        """Report a status as Twilio does, signed over the public URL; return how it was answered."""
        path = f"/receipts/twilio/texts/{f'?delivery={self.taken[sid]}' if names_us else ''}"
        said = {"MessageSid": sid, "MessageStatus": status, "AccountSid": SID, "To": "+49301234001"}
        public = f"{self.stack.environment['PUBLIC_URL']}{path}"
        signature = RequestValidator(TOKEN).compute_signature(public, said)
        url = f"http://127.0.0.1:{web.port}{path}"
        return httpx.post(url, data=said, headers={"X-Twilio-Signature": signature}, timeout=15).status_code


def test_a_report_that_comes_again_at_once_or_to_a_process_that_dies_counts_once(stack: Stack, book: Book) -> None:
    webs = [stack.web(), stack.web()]
    stack.worker()
    twilio = _account(stack, webs[0])
    with stack.client(webs[0]) as client:
        id = send(client, book, "m1", 1, **TEXTED)
    stack.until(lambda: stack.statuses() == {"sent": 1}, "the text is sent")
    (sid,) = twilio.taken

    def ask(number: int) -> None:
        with suppress(httpx.TransportError):  # the process died over it: the service asks again
            twilio.report(webs[number % 2], sid, "delivered")

    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask, number) for number in range(40)]
        webs[1].kill()
        for each in asking:
            each.result()
    assert twilio.report(webs[0], sid, "delivered") == 204

    (delivery,) = stack.deliveries(id)
    assert delivery["status"] == "delivered"
    assert _events(stack, delivery) == ["delivered"]


def test_reports_in_any_order_before_our_own_record_end_in_the_same_state(stack: Stack, book: Book) -> None:
    web = stack.web()
    stack.worker()
    twilio = _account(stack, web, delay=1.0)
    with stack.client(web) as client:
        ids = [send(client, book, f"m{number}", number, **TEXTED) for number in range(3)]
        stack.until(lambda: len(twilio.taken) == 3, "the texts are on their way")
        first, second, third = twilio.taken
        assert [twilio.report(web, first, status) for status in ("delivered", "sent", "queued")] == [204] * 3
        # These do not say which delivery of ours they are about, and we do not know the service's id yet.
        assert twilio.report(web, second, "delivered", names_us=False) == 204
        assert twilio.report(web, third, "undelivered", names_us=False) == 204

        stack.until_idle()
        stack.until(lambda: set(stack.statuses()) <= {"delivered", "bounced", "failed"}, "all reports are matched")

    ended = {str(row["id"]): row["status"] for id in ids for row in stack.deliveries(id)}
    assert [ended[twilio.taken[sid]] for sid in (first, second)] == ["delivered", "delivered"]
    assert ended[twilio.taken[third]] in {"bounced", "failed"}
    assert all(row["sent_at"] is not None for row in stack.deliveries())


def _account(stack: Stack, web: Process, **how: Any) -> Twilio:
    twilio = Twilio(stack, **how)
    options = {"account_sid": SID, "auth_token": TOKEN, "from": "+4930999999", "base_url": twilio.url}
    with stack.client(web) as client:
        said = {"provider": "twilio", "channel": "sms", "order": 1, "options": options}
        answer = client.put("/provider_accounts/texts", json=said)
        assert answer.status_code == 201, answer.text
    return twilio


def _events(stack: Stack, delivery: dict[str, Any]) -> list[str]:
    query = "SELECT kind FROM notifications_event WHERE delivery_id = %s ORDER BY at, id"
    return [row["kind"] for row in stack.database.rows(query, delivery["id"])]
