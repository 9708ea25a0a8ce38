"""Apprise's own requests, carried by us: what it asks by `requests` in a thread of ours goes another way.

So Apprise knows how each chat service wants to be spoken to, and nothing else: the guard, the pinned address, the
deadline, the caps and the meaning of a lost answer are those of every address that people give.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from notifications.providers.base import Outcome
from notifications.providers.http import Answer, NoAnswer

# Asks (method, URL, headers, body); raises NoAnswer.
Ask = Callable[[str, str, Mapping[str, str], bytes], Answer]

MOST_CALLS = 30  # of one message; an address may name several targets
_OURS = {"host", "content-length", "accept-encoding", "connection", "transfer-encoding"}

_here = threading.local()


@dataclass
class Carried:
    """What was asked for one message, in order: method and answer, or what became of it instead."""

    ask: Ask
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    lost: list[Outcome] = field(default_factory=list)


@contextmanager
def carry(ask: Ask) -> Iterator[Carried]:
    """Within it, whatever this thread asks by `requests` is asked by `ask`."""
    _here.carried = carried = Carried(ask)
    try:
        yield carried
    finally:
        _here.carried = None


class _Refused(requests.ConnectionError):
    """This request is not carried."""


_send_by_itself = HTTPAdapter.send


def _send(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
    carried: Carried | None = getattr(_here, "carried", None)
    if carried is None:
        return _send_by_itself(adapter, request, *args, **kwargs)
    return _response(request, _ask(carried, request))


HTTPAdapter.send = _send  # type: ignore[assignment, method-assign]


def _ask(carried: Carried, request: requests.PreparedRequest) -> Answer:
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    if not isinstance(body, bytes) or len(carried.answers) >= MOST_CALLS:
        raise _Refused("Not carried.")
    method, headers = request.method or "GET", {k: v for k, v in request.headers.items() if k.lower() not in _OURS}
    try:
        answer = carried.ask(method, request.url or "", _texts(headers), body)
    except NoAnswer as error:
        carried.lost.append(error.outcome)
        raise _Refused("No answer.") from None
    carried.answers.append((method, answer))
    return answer


def _texts(headers: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value) for name, value in headers.items()
    }


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    found = requests.Response()
    found.status_code, found.url, found.request = answer.status, request.url or "", request
    # Without Location there is nothing that could be followed.
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "location"}
    found.headers = CaseInsensitiveDict(headers)
    found.encoding = get_encoding_from_headers(found.headers)
    found._content = bytes(answer.body)
    return found
