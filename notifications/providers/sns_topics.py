"""The topics of Amazon SNS that report to an account: each message proven, each subscription of ours confirmed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from notifications.providers import sns_messages
from notifications.providers.callbacks import Callback, NotGenuine
from notifications.providers.http import Answer, NoAnswer

Ask = Callable[..., Coroutine[Any, Any, Answer]]
_MOST_CERTIFICATES = 16  # kept; SNS has one a region, and changes it once a year


class Topics:
    """What an account keeps of its topics. `ask` makes a request; `base_url`: a stand-in of SNS that may be trusted."""

    def __init__(self, arns: Iterable[str], ask: Ask, *, seconds: float, base_url: str = "") -> None:
        self._arns = frozenset(arn.strip() for arn in arns if arn.strip())
        self._ask = ask
        self._seconds = seconds
        self._base_url = base_url
        self._certificates: dict[str, bytes] = {}

    async def verify(self, callback: Callback) -> None:
        """Raise NotGenuine unless SNS sent this for one of the topics; TimeoutError when that cannot be told now.

        A subscription of one of the topics is confirmed: SNS sends nothing before that.
        """
        message = sns_messages.parse(callback.body)
        await sns_messages.verify(message, topics=self._arns, fetch=self.certificate)
        if message["Type"] == sns_messages.CONFIRMATION:
            await self._confirm(message.get("SubscribeURL", ""))

    async def certificate(self, url: str) -> bytes:
        """Return a certificate, fetched once."""
        if url not in self._certificates:
            found = await self.get(url)
            if len(self._certificates) >= _MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = found
        return self._certificates[url]

    async def get(self, url: str) -> bytes:
        """Fetch from SNS. Raises TimeoutError when it does not answer as hoped: then it asks us again."""
        try:
            deadline = asyncio.get_running_loop().time() + self._seconds
            answer = await self._ask("GET", url, deadline=deadline, hands_over=False)
        except NoAnswer as error:
            raise TimeoutError(str(error)) from None
        if not answer.ok:
            raise TimeoutError(f"Amazon SNS answered {answer.status}.")
        return bytes(answer.body)

    async def _confirm(self, url: str) -> None:
        if not (sns_messages.is_of_sns(url) or (self._base_url and url.startswith(f"{self._base_url}/"))):
            raise NotGenuine("The subscription is to be confirmed elsewhere.")
        await self.get(url)


def named(given: Any) -> list[str]:
    """Return the topics of a setting: a list, or text with commas between."""
    return [str(arn) for arn in (given.split(",") if isinstance(given, str) else given or ())]
