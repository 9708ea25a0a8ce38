"""Calls of e-mail services that take many mails at once, each with words of its own (pure).

Anymail builds each mail as for a call of its own; a `Batch` says how such mails are joined to one request, and how its
answer is told apart again. A mail that a batch cannot carry goes alone.

Sources: Postmark, "Send batch emails" and "API error codes"; Resend, "Send batch emails", "Batch validation modes" and
"Idempotency keys"; Mailjet, "Send API v3.1"; Mailtrap, "Batch send".

Not here, since they carry one text for many people, with places to fill in: SendGrid, Mailgun, SparkPost, Mandrill,
Unisender Go, Amazon SES (by stored templates) and Brevo (headers, and with them the link to unsubscribe, are common to
all). Nor MailerSend, whose answer does not say which mail was taken; Postal and Scaleway take one mail a call.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from notifications.providers.base import Message, OutcomeKind

MEGABYTE = 1_000_000
_OF_JSON = 1.4  # what base64 makes of files; of texts, what JSON makes of quotes and other letters is less

Meaning = Callable[[int], OutcomeKind]  # of a status, as one of a request


@dataclass(frozen=True)
class Told:
    """What an answer says of one mail."""

    kind: OutcomeKind
    provider_message_id: str = ""
    code: str = ""  # the service's own, for people


@dataclass(frozen=True)
class Batch:
    """How a service takes many mails at once."""

    path: Callable[[str], str]  # from the path of a call with one mail
    join: Callable[[list[Any]], Any]  # from the bodies of calls with one mail
    split: Callable[[Any, int, Meaning], list[Told] | None]  # one for each mail; None: it does not say so
    most: int
    most_bytes: int
    files: bool = False  # carries mails with files
    headers: Mapping[str, str] = field(default_factory=dict)


def groups(messages: Sequence[Message], batch: Batch) -> list[list[int]]:
    """Return the places of messages, those that go together together: in order, within the limits."""
    found: list[list[int]] = []
    alone: list[list[int]] = []
    weight = 0.0
    for place, message in enumerate(messages):
        if message.files and not batch.files:
            alone.append([place])
            continue
        size = _size(message)
        if not found or len(found[-1]) == batch.most or weight + size > batch.most_bytes:
            found.append([])
            weight = 0.0
        found[-1].append(place)
        weight += size
    return found + alone


def postmark_kind(code: int) -> OutcomeKind:
    """Return what an error code of Postmark means for a mail."""
    return "accepted" if code == 0 else _POSTMARK.get(code, "recipient")


def _size(message: Message) -> float:
    return sum(len(part) for part in message.parts.values()) * 1.1 + _OF_JSON * sum(
        len(file.content) for file in message.files
    )


_POSTMARK: Mapping[int, OutcomeKind] = {
    10: "account",  # bad or missing API token
    100: "transient",  # maintenance
    400: "account",  # sender signature not found
    401: "account",  # … not confirmed
    405: "account",  # not allowed to send: out of credits
    412: "account",  # account is pending
    413: "account",  # account may not send
    429: "throttled",
    500: "transient",  # sender signature query exception
    1235: "account",  # no such message stream
}


def _of_postmark(said: Any, count: int, meaning: Meaning) -> list[Told] | None:
    if not isinstance(said, list) or len(said) != count or not all(isinstance(each, dict) for each in said):
        return None
    return [_told_by_postmark(each) for each in said]


def _told_by_postmark(said: dict[str, Any]) -> Told:
    code = said.get("ErrorCode", 0)  # absent when the mail was taken and will be late
    if not isinstance(code, int):
        return Told("unknown")
    return Told(postmark_kind(code), str(said.get("MessageID") or ""), f"error {code}")


def _of_resend(said: Any, count: int, meaning: Meaning) -> list[Told] | None:
    """Read `data`, an id for each mail that was taken, in order, and `errors` by the place of those that were not."""
    if not isinstance(said, dict) or not isinstance(said.get("data"), list):
        return None
    wrong = {each.get("index") for each in said.get("errors") or [] if isinstance(each, dict)}
    taken = [str(each.get("id") or "") for each in said["data"] if isinstance(each, dict)]
    if not wrong <= set(range(count)) or len(taken) + len(wrong) != count:
        return None
    ids = iter(taken)
    return [Told("recipient", code="error 422") if at in wrong else Told("accepted", next(ids)) for at in range(count)]


def _of_mailjet(said: Any, count: int, meaning: Meaning) -> list[Told] | None:
    found = said.get("Messages") if isinstance(said, dict) else None
    if not isinstance(found, list) or len(found) != count:
        return None
    return [_told_by_mailjet(each, meaning) for each in found]


def _told_by_mailjet(said: Any, meaning: Meaning) -> Told:
    try:
        if said["Status"] == "success":
            return Told("accepted", str(said["To"][0]["MessageID"]))
        error = said["Errors"][0]
        return Told(meaning(int(error["StatusCode"])), code=f"error {int(error['StatusCode'])}")
    except (LookupError, TypeError, ValueError):
        return Told("unknown")


def _of_mailtrap(said: Any, count: int, meaning: Meaning) -> list[Told] | None:
    found = said.get("responses") if isinstance(said, dict) else None
    if not isinstance(found, list) or len(found) != count:
        return None
    return [_told_by_mailtrap(each) for each in found]


def _told_by_mailtrap(said: Any) -> Told:
    try:
        if said["success"]:
            return Told("accepted", str(said["message_ids"][0]))
        return Told("recipient", code="an error")
    except (LookupError, TypeError):
        return Told("unknown")


def _mailjet_mails(bodies: list[Any]) -> dict[str, Any]:
    return {"Messages": [{**body["Globals"], **body["Messages"][0]} for body in bodies]}


def _mailtrap_mails(bodies: list[Any]) -> dict[str, Any]:
    return {"base": {"from": bodies[0]["from"]}, "requests": bodies}


BATCHES: Mapping[str, Batch] = {
    "postmark": Batch(
        path=lambda alone: "email/batch", join=list, split=_of_postmark, most=500, most_bytes=40 * MEGABYTE, files=True
    ),
    "resend": Batch(
        path=lambda alone: "emails/batch",
        join=list,
        split=_of_resend,
        most=100,
        most_bytes=10 * MEGABYTE,
        headers={"x-batch-validation": "permissive"},
    ),
    "mailjet": Batch(
        path=lambda alone: alone, join=_mailjet_mails, split=_of_mailjet, most=50, most_bytes=10 * MEGABYTE
    ),
    "mailtrap": Batch(
        path=lambda alone: alone.replace("send", "batch", 1),
        join=_mailtrap_mails,
        split=_of_mailtrap,
        most=500,
        most_bytes=10 * MEGABYTE,
    ),
}
