"""Chat: Slack, Teams, Discord, Telegram and many more, by the wire formats of the Apprise library.

An address is an Apprise URL. It names the service and carries its keys, so it is as secret as they are.
"""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import apprise
from apprise import AppriseAsset, AppriseAttachment, NotifyBase, NotifyFormat
from apprise.conversion import convert_between

from notifications.providers.apprise_transport import Carried, carry
from notifications.providers.base import Message, Outcome
from notifications.providers.http import Answer
from notifications.providers.http_addresses import AddressProvider, proxy_url
from preferences import chat_services

GONE = "gone"  # why an address is dead: the service knows it no more
_THREADS = 32  # Apprise blocks; each message has a thread while it is on its way

# It logs what it is asked to do, addresses included.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, kw_only=True)
class AppriseOptions:
    base_url: str = proxy_url()


class Apprise(AddressProvider):
    key = "apprise"
    channels = ("chat",)
    service = "The chat service"
    concurrency = _THREADS
    Options = AppriseOptions
    options: AppriseOptions

    def __init__(self, options: AppriseOptions, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="apprise")

    async def close(self) -> None:
        await super().close()
        self._threads.shutdown(wait=False)

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        loop = asyncio.get_running_loop()

        def ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            asked = self.ask_address(method, url, deadline=deadline, headers=headers, body=body)
            return asyncio.run_coroutine_threadsafe(asked, loop).result()

        def speak() -> Outcome:
            with carry(ask) as carried:
                return self._speak(message, carried)

        try:
            async with asyncio.timeout_at(deadline + 0.5):  # the requests keep to the deadline by themselves
                return await loop.run_in_executor(self._threads, speak)
        except TimeoutError:
            return Outcome.unknown(f"{self.service} did not answer in time.")

    def _speak(self, message: Message, carried: Carried) -> Outcome:
        service = _service(message.to)
        if service is None:
            return Outcome.recipient("The chat address is not of a service that messages may go to.")
        # Straight to the service: the library's own dispatch would take it to a thread of its own.
        format = service.resolve_format(NotifyFormat.TEXT)
        body = convert_between(NotifyFormat.TEXT, format, message.parts["text"])  # type: ignore[no-untyped-call]
        # Some call it a success to have had nobody to ask.
        if service.notify(body=body, title="", body_format=format) and carried.answers:
            return Outcome.accepted(str(message.delivery_id))
        return _refusal(carried, str(service.service_name or self.service))


def _asset() -> AppriseAsset:
    """Return how Apprise presents us, and what it may not do: neither keep anything nor fetch pictures."""
    asset = AppriseAsset(async_mode=False, storage_mode="memory", image_url_mask="", image_url_logo="")
    asset.app_id, asset.app_desc, asset.app_url = "Carillon", "Carillon", ""
    return asset


_ASSET = _asset()


def _service(address: str) -> NotifyBase | None:
    """Return the service that an address names, if messages may go there."""
    if not chat_services.allows(address):
        return None
    service: Any = apprise.Apprise.instantiate(address, asset=_ASSET, suppress_exceptions=True)
    if not isinstance(service, NotifyBase) or any(_names_file(value) for value in vars(service).values()):
        return None
    # Waiting between requests and trying again are the pipeline's, within its deadline.
    service.throttle = lambda *args, **kwargs: None  # type: ignore[method-assign]
    service.retry = 0
    return service


def _names_file(value: Any) -> bool:
    """Whether the address has the service read something of this machine or elsewhere: a template, a key."""
    return isinstance(value, AppriseAttachment) and len(value) > 0


def _refusal(carried: Carried, service: str) -> Outcome:
    """Return what a message that Apprise calls failed means, by what the service answered."""
    if any(lost.kind == "unknown" for lost in carried.lost):
        return carried.lost[-1]
    failed = [answer for _, answer in carried.answers if not answer.ok]
    taken = any(answer.ok and method != "GET" for method, answer in carried.answers)
    if taken and (failed or carried.lost):
        return Outcome.unknown(f"{service} took a part of it.")
    if carried.lost:
        return carried.lost[-1]
    if not carried.answers:
        return Outcome.recipient("The chat address cannot be used.")
    if not failed:
        return Outcome.recipient(f"{service} refused it.")
    return _meaning(failed[-1], service)


def _meaning(answer: Answer, service: str) -> Outcome:
    words = f"{service} answered {answer.status}."
    if answer.status in (404, 410):
        return Outcome.recipient(words, dead_address=GONE)
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        return Outcome.recipient(words)
    return Outcome.transient(words, retry_after=answer.retry_after)
