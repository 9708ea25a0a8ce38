"""Calls through Twilio that speak a script. Source: Twilio's Programmable Voice API, "Calls resource" and TwiML."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated
from xml.sax.saxutils import escape, quoteattr

from msgspec import Meta

from notifications.providers import phones
from notifications.providers.base import Message, Outcome
from notifications.providers.callbacks import Callback, Kind, Receipt
from notifications.providers.http import base_url
from notifications.providers.options import checked, secret
from notifications.providers.twilio_account import BASE_URL, TwilioProvider, delivery_of

_LONGEST = 3000  # characters of the script; Twilio takes 4,000 of TwiML
_STATUSES: dict[str, Kind] = {
    "in-progress": "sent",  # somebody, or something, picked it up
    "completed": "delivered",
    "busy": "failed",
    "no-answer": "failed",
    "failed": "failed",
    "canceled": "failed",
}
# What <Say> speaks, of each language its usual form first.
_LANGUAGES = (
    "en-US", "en-GB", "en-AU", "en-CA", "en-IN", "de-DE", "fr-FR", "fr-CA", "es-ES", "es-MX", "it-IT", "pt-BR", "pt-PT",
    "nl-NL", "pl-PL", "sv-SE", "da-DK", "fi-FI", "nb-NO", "ca-ES", "ru-RU", "ja-JP", "ko-KR", "zh-CN", "zh-TW",
)  # fmt: skip
_EVENTS = ("answered", "completed")


@dataclass(frozen=True, kw_only=True)
class TwilioVoiceOptions:
    account_sid: Annotated[str, Meta(pattern="^AC[0-9A-Za-z]{1,64}$")]
    auth_token: str = secret()
    from_: phones.Senders = checked(phones.check_senders)  # a number of the account, or one for each country
    language: str = ""  # in which scripts are spoken, as in "de-DE"; "": in which each is written
    voice: str = ""  # "": Twilio's own for the language
    base_url: str = base_url(BASE_URL)


class TwilioVoice(TwilioProvider):
    key = "twilio_voice"
    channels = ("voice",)
    resource = "Calls"
    Options = TwilioVoiceOptions
    options: TwilioVoiceOptions

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        wrong = phones.unsendable(message, longest=_LONGEST, part="script")
        if wrong is not None:
            return wrong
        sender = phones.sender(self.options.from_, message.to)
        if not sender:
            return Outcome.recipient("The account has no sender for this country.")
        twiml = self._twiml(message.parts["script"], self.options.language or _spoken_in(message.about.locale))
        form = [("To", message.to), ("From", sender), ("Twiml", twiml)]
        if reports_to := self.reports_to(message.delivery_id):
            form += [("StatusCallback", reports_to), *(("StatusCallbackEvent", event) for event in _EVENTS)]
        return await self.create(form, deadline)

    def read_receipts(self, callback: Callback) -> list[Receipt]:
        said = dict(callback.form)
        id, status = said.get("CallSid"), said.get("CallStatus", "")
        if not id:
            raise ValueError("There is no CallSid.")
        kind = _STATUSES.get(status)
        if kind is None:
            return []
        receipt = Receipt(
            f"{id}:{status}",
            kind,
            at=_time(said.get("Timestamp", "")),
            delivery_id=delivery_of(callback),
            provider_message_id=id,
            detail=f"Twilio: {status}" if kind == "failed" else "",
        )
        return [receipt]

    def _twiml(self, script: str, language: str) -> str:
        voice = f" voice={quoteattr(self.options.voice)}" if self.options.voice else ""
        return f"<Response><Say language={quoteattr(language)}{voice}>{_spoken(script)}</Say></Response>"


def _spoken_in(locale: str) -> str:
    """Return Twilio's language for a locale: "de" and "de-AT" are spoken as de-DE."""
    found = next((each for each in _LANGUAGES if each.lower() == locale.lower()), None)
    return found or next((each for each in _LANGUAGES if each[:2] == locale[:2].lower()), _LANGUAGES[0])


def _spoken(script: str) -> str:
    # XML 1.0 knows no control characters, not even escaped.
    return escape("".join(each if each.isprintable() else " " for each in script))


def _time(text: str) -> datetime | None:
    """Return when it happened: RFC 2822, in UTC."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
