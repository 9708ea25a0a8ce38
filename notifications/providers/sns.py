"""Text messages through Amazon SNS. Source: Amazon SNS's API reference, "Publish"; its reports come through a topic."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from msgspec import Meta

from notifications.providers import aws_signature, phones, sns_messages, sns_reports
from notifications.providers.aws_signature import Credentials
from notifications.providers.base import Message, Outcome, OutcomeKind
from notifications.providers.callbacks import Callback, Receipt
from notifications.providers.http import Answer, HTTPProvider, check_base_url, outcome
from notifications.providers.options import checked, secret
from notifications.providers.sns_topics import Topics, named

_LONGEST = 1600  # bytes in SNS's own words; what is longer is refused
_ERROR = re.compile(rb"<Code>([A-Za-z.]{1,80})</Code>")
_MESSAGE_ID = re.compile(rb"<MessageId>([\w-]{1,100})</MessageId>")
# What is not here goes by the answer's status: 403 is about the account, 500 is for now.
_BY_CODE: Mapping[str, OutcomeKind] = {
    "Throttling": "throttled",
    "ThrottledException": "throttled",
    "ThrottlingException": "throttled",
    "TooManyRequestsException": "throttled",
    "RequestLimitExceeded": "throttled",
    "InvalidParameter": "recipient",
    "InvalidParameterValue": "recipient",
    "OptInRequired": "account",
    "MissingAuthenticationToken": "account",
    "IncompleteSignature": "account",
    "InvalidSecurity": "account",
    "RequestExpired": "account",
    "ValidationError": "recipient",
}
_STOPPED = {"OptedOut", "OptedOutException"}


def _check_base_url(value: str) -> None:
    if value:
        check_base_url(value)


def _check_sender(value: phones.Senders) -> None:
    if value:
        phones.check_senders(value)


@dataclass(frozen=True, kw_only=True)
class SNSOptions:
    region: Annotated[str, Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-\d{1,2}$")]
    access_key_id: str = secret()
    secret_access_key: str = secret()
    sender_id: phones.Senders = checked(
        _check_sender, default=""
    )  # a name, a number, or one for each country; "": AWS's choice
    kind: Literal["Transactional", "Promotional"] = "Transactional"
    topics: str = ""  # ARNs, comma-separated, of the topics that may report to us
    base_url: str = checked(_check_base_url, default="")  # "": https://sns.<region>.amazonaws.com


class SNS(HTTPProvider):
    key = "sns"
    channels = ("sms",)
    service = "Amazon SNS"
    reports = True
    Options = SNSOptions
    options: SNSOptions

    def __init__(self, options: SNSOptions, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        domain = "amazonaws.com.cn" if options.region.startswith("cn-") else "amazonaws.com"
        self._url = f"{options.base_url or f'https://sns.{options.region}.{domain}'}/"
        self._credentials = Credentials(options.access_key_id, options.secret_access_key, options.region, "sns")
        self._topics = Topics(named(options.topics), self.ask, seconds=timeout, base_url=options.base_url)

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        wrong = phones.unsendable(message, longest=_LONGEST)
        if wrong is not None:
            return wrong
        body = urlencode(self._form(message)).encode()
        headers = aws_signature.headers(
            "POST",
            self._url,
            body,
            self._credentials,
            at=datetime.now(tz=UTC),
            more={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        )
        answer = await self.ask("POST", self._url, deadline=deadline, headers=headers, body=body)
        return self._outcome(answer)

    async def verify(self, callback: Callback) -> None:
        await self._topics.verify(callback)

    def read_receipts(self, callback: Callback) -> list[Receipt]:
        message = sns_messages.parse(callback.body)
        if message["Type"] != sns_messages.NOTIFICATION:
            return []
        return sns_reports.read(message.get("Message", ""), message_id=message["MessageId"])

    def _form(self, message: Message) -> dict[str, str]:
        form = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "PhoneNumber": message.to,
            "Message": message.parts["text"],
        }
        sender = phones.sender(self.options.sender_id, message.to) if self.options.sender_id else ""
        number = sender.startswith("+")
        attributes = {
            "AWS.SNS.SMS.SMSType": self.options.kind,
            "AWS.MM.SMS.OriginationNumber": sender if number else "",
            "AWS.SNS.SMS.SenderID": "" if number else sender,
        }
        for index, (name, value) in enumerate(((n, v) for n, v in attributes.items() if v), 1):
            entry = f"MessageAttributes.entry.{index}"
            form |= {f"{entry}.Name": name, f"{entry}.Value.DataType": "String", f"{entry}.Value.StringValue": value}
        return form

    def _outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            found = _MESSAGE_ID.search(answer.body)
            return self.outcome_of(answer, provider_message_id=found[1].decode() if found else "")
        found = _ERROR.search(answer.body)
        named = found[1].decode() if found else ""
        # Not AWS's words: they may repeat the number.
        words = f"{self.service} answered {answer.status}: {named}"
        if named in _STOPPED:
            return Outcome.recipient(words, dead_address="stop")
        if named in _BY_CODE:
            return outcome(_BY_CODE[named], words, retry_after=answer.retry_after)
        return self.outcome_of(answer, error=named)
