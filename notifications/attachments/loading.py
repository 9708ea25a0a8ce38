"""The files of a sub-batch of mails, brought together before any of its mails leaves.

Whoever cannot have their files leaves the sub-batch with a try on record: it is tried again later, or becomes a dead
letter that says why. The account has no part in that, so that neither its circuit nor its rate hears of it.
"""

import asyncio
import binascii
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import structs

from notifications import outcomes
from notifications.attachments import names
from notifications.attachments.body import MAX_BYTES
from notifications.attachments.fetching import TIME_SECONDS, Fetching, NotFetched
from notifications.attachments.names import Unfit
from notifications.clearance import Later, Ready, Sorted
from notifications.models import AttachmentContent
from notifications.providers import loop
from notifications.providers.base import File, Outcome
from notifications.tracking import Change, Status
from project.foundation import egress

logger = logging.getLogger(__name__)

Entry = Mapping[str, Any]  # of notifications.attachments.body.Kept.listed

_AT_ONCE = 16  # mails whose files are fetched at the same time
_MOST_BYTES = 64 << 20  # of a sub-batch: with so much in memory, the rest of its mails wait for the next one
_GRACE_SECONDS = 1.0
_IN_DOUBT = "The provider's earlier answer was lost."

resolver: egress.Resolver | None = None  # None: the system's


_Loaded = tuple[File, ...] | Outcome | None  # None: there was no room or time for it yet


def load(found: Sorted, now: datetime) -> None:
    """Give the mails of a sub-batch their files; sort out, in place, those that cannot have them now.

    One query where contents are kept, and up to ten seconds where files are fetched: call it outside any transaction.
    """
    wanting = [item for item in found.ready if item.attached]
    if not wanting:
        return
    contents = _contents(wanting)
    results: Sequence[_Loaded]
    try:
        results = loop.run(_load_all(wanting, contents), deadline_seconds=TIME_SECONDS + _GRACE_SECONDS)
    except TimeoutError:
        logger.error("attachments.overran", extra={"mails": len(wanting)})
        results = [Outcome.transient("The attachments were not loaded in time.")] * len(wanting)
    loaded = dict(zip((item.delivery.id for item in wanting), results, strict=True))
    ready, found.ready = found.ready, []
    for item in ready:
        files = loaded.get(item.delivery.id, ())
        if isinstance(files, Outcome):
            _sort_out(found, item, files, now)
        elif files is None:
            found.later.append(Later(item.delivery, timedelta()))
        else:
            found.ready.append(
                structs.replace(item, message=structs.replace(item.message, files=files)) if files else item
            )


def _contents(items: Iterable[Ready]) -> dict[UUID, str]:
    wanted = [UUID(entry["content"]) for item in items for entry in item.attached if "content" in entry]
    if not wanted:
        return {}
    return dict(AttachmentContent.objects.filter(id__in=wanted).values_list("id", "content"))


async def _load_all(items: Sequence[Ready], contents: Mapping[UUID, str]) -> list[_Loaded]:
    clock = asyncio.get_running_loop().time
    deadline = clock() + TIME_SECONDS
    slots = asyncio.Semaphore(_AT_ONCE)
    held: dict[int, int] = {}  # size by identity: mails that want the same file share it

    async def one(item: Ready) -> _Loaded:
        async with slots:
            # What begins late would fail for want of time and not of its server.
            in_memory = max(sum(held.values()), fetching.held)
            if in_memory >= _MOST_BYTES or clock() >= deadline - TIME_SECONDS / 2:
                return None
            try:
                files = await _files(item.attached, contents, fetching)
            except Exception:  # one mail must not take its whole sub-batch along
                logger.exception("attachment.crashed", extra={"delivery": str(item.delivery.id)})
                return Outcome.recipient("The attachments could not be read.")
            if isinstance(files, tuple):
                held.update((id(file.content), len(file.content)) for file in files)
            return files

    async with Fetching(deadline=deadline, resolver=resolver) as fetching:
        return list(await asyncio.gather(*(one(item) for item in items)))


async def _files(
    entries: Sequence[Entry], contents: Mapping[UUID, str], fetching: Fetching
) -> tuple[File, ...] | Outcome:
    files: list[File] = []
    for number, entry in enumerate(entries, 1):
        try:
            files.append(await _file(entry, contents, fetching))
            if sum(len(file.content) for file in files) > MAX_BYTES:
                raise NotFetched(Outcome.recipient(f"the files of one mail may have {MAX_BYTES} bytes together."))
        except NotFetched as error:
            return structs.replace(error.outcome, error=f"Attachment {number}: {error}")
    return tuple(files)


async def _file(entry: Entry, contents: Mapping[UUID, str], fetching: Fetching) -> File:
    """Raises NotFetched."""
    if "url" not in entry:
        content = contents.get(UUID(entry["content"]))
        if content is None:
            raise NotFetched(Outcome.recipient("its content is no longer kept."))
        return File(entry["filename"], entry["content_type"] or names.ANY_TYPE, binascii.a2b_base64(content))
    fetched = await fetching.get(entry["url"])
    kind = entry["content_type"]
    if fetched.content_type == "text/html" and kind not in ("", "text/html", "application/xhtml+xml"):
        # What answers in place of a file that is not there: a page to sign in, or one that regrets.
        raise NotFetched(Outcome.recipient(f"the server sent a web page, not {kind}."))
    try:
        kind = kind or names.content_type(entry["filename"], fetched.content_type)
    except Unfit as error:
        raise NotFetched(Outcome.recipient(f"the server says that it is {fetched.content_type}. {error}")) from None
    return File(entry["filename"], kind or names.ANY_TYPE, fetched.content)


def _sort_out(found: Sorted, item: Ready, outcome: Outcome, now: datetime) -> None:
    delivery, attempt = item.delivery, item.attempt
    in_doubt = delivery.status == Status.SENDING or delivery.reason == outcomes.UNKNOWN_OUTCOME
    account_id = item.account.id if in_doubt else None  # it goes on with the account that may have sent it
    error = f"{outcome.error} {_IN_DOUBT}" if in_doubt else outcome.error
    delivery.attempts += 1
    attempt.provider_account_id, attempt.error = account_id, error[:500]
    attempt.finished_at, attempt.outcome = now, outcome.kind
    if outcome.kind == "transient":
        outcome = structs.replace(outcome, error=error)
        change = outcomes.change(delivery, outcome, account_id, now, resend=True, others=False)
        if in_doubt and change.status == Status.QUEUED:
            change = structs.replace(change, reason=outcomes.UNKNOWN_OUTCOME)
    else:
        change = Change(delivery, Status.FAILED, dead=True, error=error, provider_account_id=account_id)
    found.changes.append(change)
    found.tries.append(attempt)
