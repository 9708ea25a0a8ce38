"""Attachments as a request brings them: their shape, every fault of them, and the form in which they are kept."""

import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from msgspec import Meta, Struct

from notifications.attachments import names
from notifications.attachments.names import Unfit
from project.foundation import egress, ids
from project.foundation.problems import Fault

MOST = 10  # files of one mail
MAX_BYTES = 10 << 20  # of all files of one mail together, decoded
_UNNAMED = "attachment"


class Attachment(Struct, forbid_unknown_fields=True, kw_only=True):
    """A file that goes with the mail: fetched from `url` when the mail leaves, or given as `content`."""

    url: Annotated[str, Meta(max_length=2048)] | None = None
    content: Annotated[str, Meta(description="The file in base64. It needs a `filename`.")] | None = None
    filename: (
        Annotated[str, Meta(max_length=1000, description="By default the last part of the URL's path.")] | None
    ) = None
    content_type: Annotated[str, Meta(max_length=200, description="By default what the name says.")] | None = None


@dataclass(frozen=True)
class Kept:
    """Attachments as a notification keeps them.

    `listed` lies in its payload: {"filename", "content_type", "url"} of what is fetched later, else {"filename",
    "content_type", "size", "content"}, where "content" is a key of `contents`: base64, kept apart.
    """

    listed: list[dict[str, Any]]
    contents: dict[UUID, str]


def kept(given: Sequence[Attachment]) -> Kept:
    """Return the form in which attachments without faults are kept."""
    listed, contents = [], {}
    for each in given:
        name = _name(each)
        entry: dict[str, Any] = {"filename": name, "content_type": names.content_type(name, each.content_type or "")}
        if each.content is not None:
            id = ids.new_id()
            contents[id] = each.content
            entry |= {"size": len(each.content) // 4 * 3 - each.content[-2:].count("="), "content": str(id)}
        else:
            entry["url"] = each.url
        listed.append(entry)
    return Kept(listed, contents)


def faults(given: Sequence[Attachment]) -> Iterator[Fault]:
    """Yield what is wrong with attachments, with pointers into the request."""
    total = 0
    for index, each in enumerate(given):
        at = f"/attachments/{index}"
        yield from _of_source(each, at)
        yield from _of_name(each, at)
        if each.content is not None:
            try:
                content = binascii.a2b_base64(each.content, strict_mode=True)
            except ValueError:
                yield Fault(f"{at}/content", "invalid_value", "This is not base64 (RFC 4648 §4, with its padding).")
                continue
            if not content:
                yield Fault(f"{at}/content", "invalid_value", "The file is empty.")
            if names.is_program(content):
                yield Fault(f"{at}/content", "invalid_value", "Mailboxes refuse files that run when they are opened.")
            total += len(content)
    if total > MAX_BYTES:
        yield Fault("/attachments", "too_large", f"The files of one mail may have {MAX_BYTES} bytes together.")


def _of_source(each: Attachment, at: str) -> Iterator[Fault]:
    if each.url is None and each.content is None:
        yield Fault(f"{at}/url", "required", "Give the file's `url`, or its `content`.")
    elif each.url is not None and each.content is not None:
        yield Fault(f"{at}/content", "invalid_value", "Give the file's `url` or its `content`, not both.")
    elif each.url is not None:
        try:
            egress.check(each.url)
        except egress.Refused as refusal:
            yield Fault(f"{at}/url", "invalid_value", str(refusal))


def _of_name(each: Attachment, at: str) -> Iterator[Fault]:
    if each.filename is None and each.url is None:
        if each.content is not None:
            yield Fault(f"{at}/filename", "required", "A file whose content is given needs a name.")
        return
    try:
        name = _name(each)
    except Unfit as error:
        yield Fault(f"{at}/filename" if each.filename is not None else f"{at}/url", "invalid_value", str(error))
        return
    try:
        names.content_type(name, each.content_type or "")
    except Unfit as error:
        yield Fault(f"{at}/content_type", "invalid_value", str(error))


def _name(each: Attachment) -> str:
    """Raises Unfit."""
    if each.filename is not None:
        return names.cleaned(each.filename)
    try:
        path = urlsplit(each.url or "").path
    except ValueError:  # what is wrong with the URL is said elsewhere
        return _UNNAMED
    last = unquote(path).rpartition("/")[2]
    return names.cleaned(last) if last.strip(" .") else _UNNAMED
