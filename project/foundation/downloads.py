"""Files that are sent while they are being made, and that nobody on the way may keep."""

from collections.abc import AsyncIterator, Generator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

_PART = 64 * 1024  # bytes

Parts = Generator[bytes, None, None]


def attachment(request: HttpRequest, parts: Parts, *, filename: str, content_type: str) -> StreamingHttpResponse:
    """Answer with a file to save. `parts` are made one after the other as the client takes them, never all at once.

    A HEAD makes none of them.
    """
    made = parts if request.method != "HEAD" else _nothing()
    response = _Download(_gathered(made), under_asgi=isinstance(request, ASGIRequest), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Accel-Buffering"] = "no"  # nginx would write it to its disk
    return response


class _Download(StreamingHttpResponse):
    """Makes its parts in the request's thread, whose database connection they are read from, and ends them there."""

    def __init__(self, parts: Parts, *, under_asgi: bool, content_type: str) -> None:
        self._parts = parts
        # Django would gather all parts of a plain iterator first under ASGI, and of an asynchronous one under WSGI.
        super().__init__(_one_by_one(parts) if under_asgi else parts, content_type=content_type)

    def close(self) -> None:
        self._parts.close()  # whoever went away in the middle leaves a transaction open otherwise
        super().close()


async def _one_by_one(parts: Parts) -> AsyncIterator[bytes]:
    make = sync_to_async(lambda: next(parts, b""))
    while part := await make():
        yield part


def _gathered(parts: Parts) -> Parts:
    """Join small parts, which would each cost a write to the socket."""
    held = bytearray()
    try:
        for part in parts:
            held += part
            if len(held) >= _PART:
                yield bytes(held)
                held.clear()
        if held:
            yield bytes(held)
    finally:
        parts.close()


def _nothing() -> Parts:
    yield from ()
