"""HTTP to servers that people named: the address of a message is a URL, and the guard of egress says whether it may be.

Each address is a server of its own. So none of their answers refuses or slows down the account, and the trouble of one
is no reason to try the others later.
"""

import asyncio
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

from notifications.providers.base import Outcome, OutcomeKind
from notifications.providers.http import Answer, HTTPProvider, NoAnswer, check_base_url
from notifications.providers.options import checked
from project.foundation import egress
from project.foundation.egress import Target

_MOST_ADDRESSES = 2  # of one host that are tried
_LOOKUP_SHARE = 0.4  # of the time there is: what looking a name up may take


class AddressProvider(HTTPProvider):
    """An HTTP provider whose messages go to the URL in their address. A subclass asks by `ask_address`.

    Its option `base_url` may name one server through which everything goes instead: a proxy, or a stand-in.
    """

    many_servers = True
    concurrency: ClassVar[int] = 256  # a sub-batch and more: servers that hang keep no other one waiting
    resolver: egress.Resolver | None = None

    async def ask_address(
        self, method: str, url: str, *, deadline: float, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Make one request of a URL that somebody else gave, if the guard lets it through. Raises NoAnswer."""
        *first, last = (await self._targets(url, deadline))[:_MOST_ADDRESSES]
        for target in first:
            try:
                return await self._ask_target(method, target, deadline, headers, body)
            except NoAnswer as error:
                if error.outcome.kind != "transient":
                    raise
        return await self._ask_target(method, last, deadline, headers, body)

    async def _targets(self, url: str, deadline: float) -> list[Target]:
        if self.options.base_url:
            return [_through(self.options.base_url, url)]
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(now + (deadline - now) * _LOOKUP_SHARE):
                return await egress.resolve(url, resolver=self.resolver)
        except egress.Refused as refusal:
            raise NoAnswer(Outcome.recipient(f"The address is not allowed. {refusal}")) from None
        except egress.NotFound as error:
            raise NoAnswer(Outcome.transient(str(error))) from None
        except TimeoutError:
            raise NoAnswer(Outcome.transient("The host's name was not looked up in time.")) from None

    async def _ask_target(
        self, method: str, target: Target, deadline: float, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        return await self.ask(
            method,
            target.url,
            deadline=deadline,
            headers={"Host": target.host, **headers},
            body=body,
            server_name=target.server_name,
        )

    def _not_reached(self, kind: OutcomeKind, error: str) -> Outcome:
        return Outcome.transient(error)


def proxy_url() -> str:
    """Declare the option `base_url` of a provider whose addresses are URLs: empty, or where everything goes instead."""
    url: str = checked(_check_proxy, default="")
    return url


def _check_proxy(value: str) -> None:
    if value:
        check_base_url(value)


def _through(base_url: str, url: str) -> Target:
    """Return the target at an operator's own server; whom it is for stands in the Host header."""
    base, parts = urlsplit(base_url), urlsplit(url)
    path = base.path.rstrip("/") + (parts.path or "/")
    return Target(urlunsplit((base.scheme, base.netloc, path, parts.query, "")), parts.netloc, None)
