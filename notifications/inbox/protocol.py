"""What a client may say on the inbox socket, and what it is answered when it says something else."""

import re
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from notifications.inbox.marks import MARKS, MARKS_OF_ALL

MOST_CHARACTERS = 4096  # of one frame
_SURROGATE = re.compile("[\ud800-\udfff]")

# Close codes
NOT_AUTHENTICATED, WRONG_ORIGIN, NO_HELLO = 4401, 4403, 4408
TOO_BIG, SERVER_FAULT = 1009, 1011  # RFC 6455 §7.4.1


class Frame(Struct):
    """Any frame: its type decides what else it holds. Members we do not know are left alone."""

    type: str


class Hello(Struct):
    """The first frame."""

    token: str | None = None
    since: Annotated[int, Meta(ge=0, lt=2**53)] | None = None


class ItemMark(Struct):
    """{"type": "read", "id": …}."""

    id: UUID
    action: Annotated[int, Meta(ge=0, le=100)] | None = None


class AllMark(Struct):
    """{"type": "read-all"}."""

    category: Annotated[str, Meta(max_length=100, pattern="^[^\\x00]*$")] = ""


class Malformed(Exception):
    """The frame is none of the protocol's. The message says why."""


KINDS: dict[str, type[Struct]] = {
    "hello": Hello,
    "ping": Frame,
    **dict.fromkeys(MARKS, ItemMark),
    **{f"{act}-all": AllMark for act in MARKS_OF_ALL},
}


def read(text: str | None) -> tuple[str, Any]:
    """Return a frame's type and what it holds, as one of KINDS. Raises Malformed."""
    if text is None:
        raise Malformed("Frames are JSON text.")
    try:
        kind = msgspec.json.decode(text, type=Frame).type
        if kind not in KINDS:
            raise Malformed("There is no frame of this type.")
        return kind, msgspec.json.decode(text, type=KINDS[kind])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(_SURROGATE.sub("?", str(error))) from error
