"""Text messages through Twilio. Source: Twilio's Programmable Messaging API, "Messages resource"."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from notifications.providers import keywords, phones
from notifications.providers.base import Message, Outcome
from notifications.providers.callbacks import Callback, Kind, Receipt
from notifications.providers.http import base_url
from notifications.providers.options import checked, secret
from notifications.providers.twilio_account import BASE_URL, TwilioProvider, delivery_of, stopped

_LONGEST = 1600  # characters; Twilio refuses more with 21617
# Twilio's word → ours. The others (accepted, scheduled, queued, sending, receiving) are no news.
_STATUSES: dict[str, Kind] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "opened",
    "undelivered": "bounced",
    "failed": "failed",
    "canceled": "failed",
}
_UNKNOWN_NUMBERS = {"21211", "21614", "30005"}  # the number does not exist, or takes no texts
_OPT_OUT_TYPES: dict[str, Kind] = {"STOP": "stop", "START": "start", "HELP": "help"}


@dataclass(frozen=True, kw_only=True)
class TwilioOptions:
    account_sid: Annotated[str, Meta(pattern="^AC[0-9A-Za-z]{1,64}$")]
    auth_token: str = secret()
    from_: phones.Senders = checked(
        phones.check_senders
    )  # a number, a name, a messaging service (MG…), or one for each country
    replies: bool = True  # False: Twilio itself answers who writes stop, start or help
    base_url: str = base_url(BASE_URL)


class Twilio(TwilioProvider):
    key = "twilio"
    channels = ("sms",)
    resource = "Messages"
    Options = TwilioOptions
    options: TwilioOptions

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        wrong = phones.unsendable(message, longest=_LONGEST)
        if wrong is not None:
            return wrong
        sender = phones.sender(self.options.from_, message.to)
        if not sender:
            return Outcome.recipient("The account has no sender for this country.")
        form = [("To", message.to), ("Body", message.parts["text"])]
        form.append(("MessagingServiceSid" if sender.startswith("MG") else "From", sender))
        if reports_to := self.reports_to(message.delivery_id):
            form.append(("StatusCallback", reports_to))
        return await self.create(form, deadline)

    def read_receipts(self, callback: Callback) -> list[Receipt]:
        said = dict(callback.form)
        id = said.get("MessageSid") or said.get("SmsSid") or ""
        if not id:
            raise ValueError("There is no MessageSid.")
        if "MessageStatus" in said:
            return self._status(said, id, callback)
        return self._answer(said, id)

    def _status(self, said: dict[str, str], id: str, callback: Callback) -> list[Receipt]:
        kind = _STATUSES.get(said["MessageStatus"])
        if kind is None:
            return []
        code = said.get("ErrorCode", "")
        unknown = code in _UNKNOWN_NUMBERS
        receipt = Receipt(
            f"{id}:{said['MessageStatus']}",
            "bounced" if unknown else kind,
            delivery_id=delivery_of(callback),
            provider_message_id=id,
            detail=f"Twilio: error {code}" if code.isdecimal() else "",
            address=said.get("To", ""),
            permanent=unknown,
        )
        return [receipt, *stopped(receipt, code)]

    def _answer(self, said: dict[str, str], id: str) -> list[Receipt]:
        """Read what a person wrote. With Twilio's Advanced Opt-Out it says what it took it for, and has answered."""
        opted = _OPT_OUT_TYPES.get(said.get("OptOutType", "").upper())
        kind = opted or keywords.read(said.get("Body", ""))
        if kind is None:
            return []
        answered = opted is not None or not self.options.replies
        return [Receipt(f"{id}:received", kind, address=said.get("From", ""), answered=answered)]
