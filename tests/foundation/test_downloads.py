from collections.abc import Generator

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, StreamingHttpResponse
from django.test import RequestFactory
from django.test.client import AsyncRequestFactory

from project.foundation import downloads

PART = b"x" * downloads._PART
FACTORIES = pytest.mark.parametrize("factory", [RequestFactory(), AsyncRequestFactory()], ids=["wsgi", "asgi"])


def attached(request: HttpRequest, parts: downloads.Parts) -> StreamingHttpResponse:
    return downloads.attachment(request, parts, filename="a.json", content_type="application/json")


def made_of(pieces: list[bytes], made: list[object]) -> Generator[bytes, None, None]:
    """Yield the pieces, and note each as it is made."""
    try:
        for number, piece in enumerate(pieces):
            made.append(number)
            yield piece
    finally:
        made.append("closed")


def taken(answer: StreamingHttpResponse, most: int) -> list[bytes]:
    """Take the first parts, as a server does."""
    if not answer.is_async:
        return [part for part, _ in zip(answer, range(most), strict=False)]

    async def take() -> list[bytes]:
        found: list[bytes] = []
        async for part in answer:
            found.append(part)
            if len(found) == most:
                break
        return found

    return async_to_sync(take)()


@FACTORIES
def test_all_of_it_is_sent_in_few_pieces(factory: RequestFactory) -> None:
    answer = attached(factory.get("/"), made_of([b"a"] * 70_000, []))

    sent = taken(answer, 10)

    assert b"".join(sent) == b"a" * 70_000
    assert len(sent) == 2


@FACTORIES
def test_a_part_is_made_when_it_is_taken(factory: RequestFactory) -> None:
    made: list[object] = []
    answer = attached(factory.get("/"), made_of([PART] * 5, made))

    taken(answer, 1)

    assert made in ([0], [0, 1])


@FACTORIES
def test_who_goes_away_in_the_middle_ends_the_making(factory: RequestFactory) -> None:
    made: list[object] = []
    answer = attached(factory.get("/"), made_of([PART] * 5, made))
    taken(answer, 1)

    answer.close()

    assert made[-1] == "closed"
    assert len(made) < 5


def test_nobody_on_the_way_may_keep_it() -> None:
    answer = attached(RequestFactory().get("/"), made_of([], []))

    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Content-Disposition"] == 'attachment; filename="a.json"'


def test_a_head_makes_nothing() -> None:
    made: list[object] = []

    answer = attached(RequestFactory().head("/"), made_of([PART], made))

    assert list(answer) == []
    assert made == []
