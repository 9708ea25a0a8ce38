"""What every HTTP provider stands on: answers with one meaning, deadlines, lost answers, many at once."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest

from notifications.providers.base import Message, Outcome
from notifications.providers.http import MOST_BYTES, Answer, HTTPProvider, check_base_url
from tests.providers.http_server import Says, Service

SECRET = "t0ken-that-nobody-may-see"


class Gateway(HTTPProvider):
    key = "gateway"
    channels = ("sms",)
    service = "Gateway"
    meanings = {410: "recipient", 418: "account"}

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        url = f"{self.options}/messages/{message.to}?key={SECRET}"
        answer = await self.ask("POST", url, deadline=deadline, body={"text": "Hello."}, headers={"X-Key": SECRET})
        return self.outcome_of(answer, provider_message_id=answer.json().get("id", ""))


def send(*says, count: int = 1, timeout: float = 5.0, url: str = "") -> tuple[list[Outcome], Service]:
    async def run():
        async with Service(*says) as service:
            provider = Gateway(url or service.url, timeout=timeout)
            try:
                return await provider.send_many([message(number) for number in range(count)]), service
            finally:
                await provider.close()

    return asyncio.run(run())


def message(number: int = 0) -> Message:
    return Message(UUID(int=number), "sms", f"+49301234{number}", {"text": "Hello."})


def one(*says, **more) -> Outcome:
    ((outcome,), _) = send(*says, **more)
    return outcome


def test_a_yes_is_accepted_with_the_services_id():
    (outcome,), service = send(Says(201, {"id": "m-17"}))

    assert outcome == Outcome.accepted("m-17")
    (asked,) = service.asked
    assert (asked.method, asked.json, asked.headers["content-type"]) == ("POST", {"text": "Hello."}, "application/json")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "accepted"),
        (202, "accepted"),
        (302, "account"),
        (400, "recipient"),
        (401, "account"),
        (403, "account"),
        (404, "account"),
        (408, "transient"),
        (410, "recipient"),
        (413, "recipient"),
        (418, "account"),
        (422, "recipient"),
        (429, "throttled"),
        (500, "transient"),
        (502, "transient"),
        (503, "transient"),
        (504, "unknown"),
    ],
)
def test_each_status_has_one_meaning(status, kind):
    outcome = one(Says(status))

    assert outcome.kind == kind
    assert outcome.error == ("" if kind == "accepted" else f"Gateway answered {status}.")


@pytest.mark.parametrize(("status", "kind"), [(429, "throttled"), (503, "transient")])
def test_a_wait_is_kept_as_seconds_whichever_way_it_is_said(status, kind):
    when = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=90), usegmt=True)

    in_seconds = one(Says(status, headers={"Retry-After": "90"}))
    as_a_date = one(Says(status, headers={"Retry-After": when}))

    assert (in_seconds.kind, in_seconds.retry_after) == (kind, 90)
    assert as_a_date.kind == kind
    assert 85 < as_a_date.retry_after <= 90


def test_too_fast_without_a_wait_waits_all_the_same():
    assert one(Says(429)).retry_after == 5


def test_a_service_that_cannot_be_reached_has_surely_not_taken_it():
    assert one(url="http://127.0.0.1:1").kind == "transient"
    assert one(url="http://nowhere.invalid").kind == "transient"


@pytest.mark.parametrize("then", ["hang", "reset"])
def test_an_answer_that_is_lost_leaves_it_unknown(then):
    assert one(Says(then=then), timeout=0.3).kind == "unknown"


@pytest.mark.parametrize("then", ["stall", "cut"])
@pytest.mark.parametrize(("status", "kind"), [(202, "accepted"), (503, "transient")])
def test_the_status_counts_even_when_the_body_never_comes(then, status, kind):
    assert one(Says(status, b"12345", then=then), timeout=0.3).kind == kind


def test_a_body_without_end_is_cut():
    async def run():
        async with Service(Says(body=b"x" * (3 * MOST_BYTES))) as service:
            provider = Gateway(service.url, timeout=5)
            deadline = asyncio.get_running_loop().time() + 5
            answer = await provider.ask("GET", service.url, deadline=deadline)
            await provider.close()
            return answer

    assert len(asyncio.run(run()).body) == MOST_BYTES


def test_a_request_that_carries_no_message_has_surely_not_sent_it():
    class WithToken(Gateway):
        async def send_one(self, message: Message, deadline: float) -> Outcome:
            await self.ask("POST", f"{self.options}/token", deadline=deadline, hands_over=False)
            return Outcome.accepted()

    async def run():
        async with Service(Says(then="reset")) as service:
            provider = WithToken(service.url, timeout=1)
            outcomes = await provider.send_many([message()])
            await provider.close()
            return outcomes

    assert asyncio.run(run())[0].kind == "transient"


def test_a_redirect_is_not_followed():
    outcome, service = send(Says(302, headers={"Location": "/elsewhere"}))

    assert [asked.path.split("?")[0] for asked in service.asked] == ["/messages/+493012340"]


def test_errors_name_no_address_and_no_secret():
    told = [one(Says(status), count=1) for status in (302, 400, 401, 429, 500)]
    told += [one(Says(then=then), timeout=0.2) for then in ("hang", "reset")]
    told += [one(url="http://127.0.0.1:1"), one(url="http://bad host")]

    assert all(outcome.error for outcome in told)
    assert [outcome.error for outcome in told if SECRET in outcome.error or "+49" in outcome.error] == []


def test_no_more_go_at_once_than_the_account_may():
    outcomes, service = send(Says(delay=0.02), count=200)

    assert {outcome.kind for outcome in outcomes} == {"accepted"}
    assert service.most_at_once == 64
    assert service.connections <= 64


def test_a_refused_account_is_not_asked_again_for_the_rest():
    outcomes, service = send(Says(401), count=200)

    assert [outcome.kind for outcome in outcomes] == ["account"] * 200
    assert len(service.asked) <= 64


def test_one_drip_holds_up_nobody_else():
    outcomes, _ = send(Says(then="hang"), Says(), count=5, timeout=0.5)

    assert sorted(outcome.kind for outcome in outcomes) == ["accepted"] * 4 + ["unknown"]


def test_what_was_not_asked_in_time_has_failed_nobody():
    started = time.monotonic()
    outcomes, _ = send(Says(then="hang"), count=70, timeout=0.4)

    assert [sum(each.kind == kind for each in outcomes) for kind in ("unknown", "throttled")] == [64, 6]
    assert time.monotonic() - started < 2


def test_one_message_that_the_code_cannot_send_takes_no_other_along(caplog):
    class Clumsy(Gateway):
        async def send_one(self, message: Message, deadline: float) -> Outcome:
            if message.to.endswith("1"):
                raise KeyError("sid")
            return await super().send_one(message, deadline)

    async def run():
        async with Service() as service:
            provider = Clumsy(service.url, timeout=1)
            outcomes = await provider.send_many([message(0), message(1), message(2)])
            await provider.close()
            return outcomes

    assert [outcome.kind for outcome in asyncio.run(run())] == ["accepted", "unknown", "accepted"]
    assert [record.message for record in caplog.records] == ["provider.crashed"]


def test_what_is_on_its_way_is_not_cut_off_when_the_account_changes():
    async def run():
        async with Service(Says(delay=0.2)) as service:
            provider = Gateway(service.url, timeout=2)
            sending = asyncio.create_task(provider.send_many([message(number) for number in range(100)]))
            await asyncio.sleep(0.1)
            await provider.close()
            return await sending

    assert {outcome.kind for outcome in asyncio.run(run())} == {"accepted"}


def test_closing_waits_no_longer_than_a_batch_may_take():
    async def run():
        async with Service(Says(then="hang")) as service:
            provider = Gateway(service.url, timeout=0.3)
            sending = asyncio.create_task(provider.send_many([message()]))
            await asyncio.sleep(0.1)
            started = time.monotonic()
            await provider.close()
            await sending
            return time.monotonic() - started

    assert asyncio.run(run()) < 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"x"', b"[" * 60000, b"\xff"])
def test_a_body_that_is_no_object_reads_as_an_empty_one(body):
    assert Answer(200, {}, bytearray(body)).json() == {}


@pytest.mark.parametrize("url", ["https://api.example.com", "http://127.0.0.1:9000/v1/"])
def test_a_base_url_may_have_a_port_and_a_path(url):
    check_base_url(url)


@pytest.mark.parametrize(
    "url",
    ["", "api.example.com", "ftp://x.org", "https://u:p@x.org", "https://x.org/?a=b", "https://x.org/#a", "https://"],
)
def test_a_base_url_is_nothing_else(url):
    with pytest.raises(ValueError, match="base URL"):
        check_base_url(url)
