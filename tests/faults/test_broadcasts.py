"""Broadcasts whose workers die, and which somebody pauses, while they run."""

import os
import random
import signal
import time
from collections import defaultdict
from typing import Any

import httpx
import pytest

from tests.faults.seed import PEOPLE
from tests.faults.sinks import Step
from tests.faults.stack import TIMINGS, Stack

MORE = 800
IN_FLIGHT = int(TIMINGS["FLUSH_SIZE"]) * 2  # of one worker with two pool processes


@pytest.mark.faults_all
def test_a_broadcast_whose_workers_are_killed_tells_everybody_and_repeats_what_was_in_flight_alone(
    stack: Stack,
) -> None:
    web = stack.web()
    dice = random.Random(7)
    with stack.client(web) as client:
        _more_people(client)
        stack.mail.always(Step(delay=0.02))
        workers = [stack.worker(), stack.worker()]
        id = _broadcast(client, {"all": True})
        for goal in range(100, 900, 100):  # eight blows
            stack.until(lambda goal=goal: len(stack.mail.taken) >= goal, f"{goal} have it")
            if dice.random() < 0.5 and (children := workers[0].children()):
                os.kill(dice.choice(children), signal.SIGKILL)
            else:
                workers.pop(0).kill()
                workers.append(stack.worker())
        stack.until(lambda: _status(client, id) == "completed", "it is completed", seconds=120)
        found = client.get(f"/broadcasts/{id}").json()

    taken = _by_recipient(stack)
    assert len(taken) == PEOPLE + MORE
    assert (found["total"], found["sent"]) == (PEOPLE + MORE, PEOPLE + MORE)
    assert sum(len(calls) - 1 for calls in taken.values()) <= IN_FLIGHT * 8
    assert all(len(set(calls)) == 1 for calls in taken.values()), "a repeat carries its Message-ID"


def test_a_pause_stops_the_next_sub_batch_and_a_changed_segment_neither_skips_nor_repeats(stack: Stack) -> None:
    web = stack.web()
    stack.worker()
    stack.mail.always(Step(delay=0.05))
    with stack.client(web) as client:
        id = _broadcast(client, {"filter": {"locale": ["en"]}})
        stack.until(lambda: len(stack.mail.taken) >= 20, "some have it")

        assert client.post(f"/broadcasts/{id}/pause").status_code == 200
        at_pause = len(stack.mail.taken)
        for number in range(PEOPLE):
            answer = client.put(f"/users/p{number}", json={"locale": "de"})
            assert answer.status_code == 200, answer.text
        client.put("/users/late", json={"locale": "en", "email": "late@example.com"})
        at_rest = len(stack.mail.taken)
        time.sleep(2)
        assert len(stack.mail.taken) == at_rest, "a paused broadcast is silent"
        assert at_rest - at_pause <= IN_FLIGHT

        assert client.post(f"/broadcasts/{id}/resume").status_code == 200
        stack.until(lambda: _status(client, id) == "completed", "the rest have it")
    assert sorted(_by_recipient(stack)) == sorted(f"p{number}@example.com" for number in range(PEOPLE))
    assert len(stack.mail.taken) == PEOPLE


def _more_people(client: httpx.Client) -> None:
    items = [{"user_id": f"m{number}", "email": f"m{number}@example.com"} for number in range(MORE)]
    answer = client.post("/users/bulk", json={"items": items})
    assert answer.status_code == 207, answer.text


def _broadcast(client: httpx.Client, audience: dict[str, Any]) -> str:
    said = {"type": "NEWS", "payload": {"title": "News", "body": "For all."}, "audience": audience}
    answer = client.post("/broadcasts", json=said)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def _status(client: httpx.Client, id: str) -> str:
    return str(client.get(f"/broadcasts/{id}").json()["status"])


def _by_recipient(stack: Stack) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for call in stack.mail.taken:
        found[call.to].append(call.message_id)
    return found
