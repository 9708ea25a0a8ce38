"""Text messages through Vonage's SMS API (formerly Nexmo). Source: Vonage's documentation of the SMS API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from notifications.providers import keywords, phones, vonage_signature
from notifications.providers.base import Message, Outcome, OutcomeKind
from notifications.providers.callbacks import Callback, Kind, Receipt, delivery_id
from notifications.providers.http import Answer, HTTPProvider, base_url, outcome
from notifications.providers.options import checked, secret
from templates_app import sms

_LONGEST = 1530  # characters: ten parts of 153
# Of each part of a message, in an answer that is always 200. What is not here is about the message.
_BY_STATUS: Mapping[str, OutcomeKind] = {
    "1": "throttled",
    "4": "account",  # the credentials are refused
    "5": "transient",  # an error within Vonage
    "8": "account",  # the account is barred
    "9": "account",  # it has no credit left
    "10": "throttled",
    "11": "account",  # it may not use this API
    "14": "account",  # the signature is refused
    "15": "account",  # the sender is refused
    "23": "account",  # the URL to report to is refused
    "32": "account",  # it wants signatures
}
_DEAD = {"33": "deactivated"}
_RECEIPTS: dict[str, Kind] = {
    "accepted": "sent",
    "buffered": "deferred",
    "delivered": "delivered",
    "expired": "bounced",
    "failed": "failed",
    "rejected": "failed",
    "deleted": "failed",
}
_UNKNOWN_NUMBERS = {"3", "9"}  # err-code: the subscriber is gone for good; the number is none


@dataclass(frozen=True, kw_only=True)
class VonageOptions:
    api_key: Annotated[str, Meta(min_length=1, max_length=100)] = secret()
    api_secret: str = secret()
    signature_secret: str = secret()  # proves what Vonage reports
    from_: phones.Senders = checked(phones.check_senders)  # a number, a name, or one for each country
    base_url: str = base_url("https://rest.nexmo.com")


class Vonage(HTTPProvider):
    key = "vonage"
    channels = ("sms",)
    service = "Vonage"
    reports = True
    Options = VonageOptions
    options: VonageOptions

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        wrong = phones.unsendable(message, longest=_LONGEST)
        if wrong is not None:
            return wrong
        sender = phones.sender(self.options.from_, message.to)
        if not sender:
            return Outcome.recipient("The account has no sender for this country.")
        answer = await self.ask(
            "POST", f"{self.options.base_url}/sms/json", deadline=deadline, form=self._form(message, sender)
        )
        return self._outcome(answer)

    async def verify(self, callback: Callback) -> None:
        vonage_signature.verify(
            callback, _parameters(callback), secret=self.options.signature_secret, api_key=self.options.api_key
        )

    def read_receipts(self, callback: Callback) -> list[Receipt]:
        said = _parameters(callback)
        id = said.get("messageId") or said.get("message-id") or ""
        if not id:
            raise ValueError("There is no messageId.")
        person = f"+{said.get('msisdn', '').lstrip('+')}"
        if "status" not in said:
            kind = keywords.read(said.get("text", ""))
            return [Receipt(f"{id}:received", kind, _time(said), address=person)] if kind else []
        found = _RECEIPTS.get(said["status"])
        if found is None:
            return []
        code = said.get("err-code", "")
        unknown = found in ("failed", "bounced") and code in _UNKNOWN_NUMBERS
        receipt = Receipt(
            f"{id}:{said['status']}",
            "bounced" if unknown else found,
            _time(said),
            delivery_id=delivery_id(said.get("client-ref", "")),
            provider_message_id=id,
            detail=f"Vonage: error {code}" if code.isdecimal() and code != "0" else "",
            address=person,
            permanent=unknown,
        )
        return [receipt]

    def _form(self, message: Message, sender: str) -> dict[str, str]:
        text = message.parts["text"]
        form = {
            "api_key": self.options.api_key,
            "api_secret": self.options.api_secret,
            "from": sender.lstrip("+"),
            "to": message.to.lstrip("+"),
            "text": text,
            "type": "unicode" if sms.size(text).unicode else "text",
            "client-ref": str(message.delivery_id),
        }
        if self.callback_url.startswith("https://") or self.options.base_url != VonageOptions.base_url:
            form["callback"] = self.callback_url
        return {name: value for name, value in form.items() if value}

    def _outcome(self, answer: Answer) -> Outcome:
        if not answer.ok:
            return self.outcome_of(answer)
        parts = answer.json().get("messages")
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
            return Outcome.unknown("Vonage answered nothing that can be read.")
        taken = next((part for part in parts if str(part.get("status")) == "0"), None)
        if taken is not None:  # even if other parts were not: what went out cannot be called back
            return self.outcome_of(answer, provider_message_id=str(taken.get("message-id") or ""))
        status = str(parts[0].get("status"))
        words = f"Vonage refused it: status {status if status.isdecimal() else 'unknown'}"
        if status in _DEAD:
            return Outcome.recipient(words, dead_address=_DEAD[status])
        return outcome(_BY_STATUS.get(status, "recipient"), words)


def _parameters(callback: Callback) -> dict[str, str]:
    """Return what a request says, be it a form or JSON, as the account's settings have it."""
    if not callback.headers.get("content-type", "").lower().startswith("application/json"):
        return dict(callback.form)
    try:
        said = json.loads(callback.body)
    except (ValueError, RecursionError):
        return {}
    return {name: _text(value) for name, value in said.items()} if isinstance(said, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _time(said: Mapping[str, str]) -> datetime | None:
    """Return when it happened: "2020-01-01 14:00:00", with an offset or in UTC."""
    try:
        moment = datetime.fromisoformat(said.get("message-timestamp", "").replace(" +", "+"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
