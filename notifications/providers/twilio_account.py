"""What Twilio's text messages and calls share: signing in, what its errors mean, where it reports to, its signature.

Sources: Twilio's REST API (2010-04-01), its dictionary of errors and warnings, "Webhooks: connection overrides".
"""

import base64
import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from notifications.providers import twilio_signature
from notifications.providers.base import Outcome, OutcomeKind
from notifications.providers.callbacks import Callback, Receipt, delivery_id
from notifications.providers.http import Answer, HTTPProvider, outcome

BASE_URL = "https://api.twilio.com"
# Twilio then repeats a report that we could not take in: three times, after no connection, no answer or a 5xx.
_REPEATS = "rc=3&rp=ct,rt,5xx"

# What the status of the answer (400, mostly) does not tell.
_BY_CODE: Mapping[int, OutcomeKind] = {
    20003: "account",  # the credentials are refused
    20005: "account",  # the account is not active
    20429: "throttled",
    21606: "account",  # the sender cannot send, here and in the next four
    21659: "account",
    21660: "account",
    21705: "account",
    21712: "account",
    21611: "throttled",  # the sender's queue is full
    21609: "account",  # the URL to report to is not valid
    30001: "throttled",  # the queue is full
    30002: "account",  # the account is suspended
    63038: "throttled",  # the account's messages of this day are used up
}
# Numbers that nothing will ever reach on this channel, and why. 21610 is a person's own word.
_DEAD = {21211: "not_a_number", 21217: "not_a_number", 21614: "not_a_mobile", 21635: "not_a_mobile", 21610: "stop"}


class TwilioProvider(HTTPProvider):
    """A provider of one of Twilio's resources, `resource`, below the account."""

    service = "Twilio"
    reports = True
    resource: ClassVar[str]
    options: Any  # account_sid, auth_token, base_url

    async def create(self, form: list[tuple[str, str]], deadline: float) -> Outcome:
        """Create one message or call."""
        pair = f"{self.options.account_sid}:{self.options.auth_token}".encode()
        answer = await self.ask(
            "POST",
            f"{self.options.base_url}/2010-04-01/Accounts/{self.options.account_sid}/{self.resource}.json",
            deadline=deadline,
            headers={"Authorization": "Basic " + base64.b64encode(pair).decode(), "Accept": "application/json"},
            form=form,
        )
        return self._outcome(answer)

    def reports_to(self, id: UUID) -> str:
        """Return where Twilio shall report of a delivery; "" where the real Twilio could not reach us."""
        if not self.callback_url or (self.options.base_url == BASE_URL and _is_local(self.callback_url)):
            return ""
        return f"{self.callback_url}?{urlencode({'delivery': str(id)})}#{_REPEATS}"

    async def verify(self, callback: Callback) -> None:
        twilio_signature.verify(callback, self.options.auth_token, fragment=_REPEATS)

    def _outcome(self, answer: Answer) -> Outcome:
        said = answer.json()
        if answer.ok:
            return self.outcome_of(answer, provider_message_id=str(said.get("sid") or ""))
        code = said.get("code")
        if not isinstance(code, int):
            return self.outcome_of(answer)
        # Not Twilio's words: they repeat the number.
        words = f"{self.service} answered {answer.status}: error {code}"
        if code in _DEAD:
            return Outcome.recipient(words, dead_address=_DEAD[code])
        if code in _BY_CODE:
            return outcome(_BY_CODE[code], words, retry_after=answer.retry_after)
        return self.outcome_of(answer, error=f"error {code}")


def delivery_of(callback: Callback) -> UUID | None:
    """Return the delivery that a report is about, as `reports_to` gave it along."""
    return delivery_id(dict(callback.query).get("delivery", ""))


def stopped(receipt: Receipt, error_code: str) -> list[Receipt]:
    """Return the stop that a report's error means, if it means one: told elsewhere, and learned only now."""
    if error_code != "21610" or not receipt.address:
        return []
    return [Receipt(f"{receipt.event_id}:stop", "stop", receipt.at, address=receipt.address, answered=True)]


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".test", ".localhost"))
