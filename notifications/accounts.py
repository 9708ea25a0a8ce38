"""Provider accounts in use: which one a delivery goes through, and sending through it."""

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from notifications.models import Mode, ProviderAccount
from notifications.providers import loop, options
from notifications.providers.base import Message, Outcome, Provider

logger = logging.getLogger(__name__)

_TTL_SECONDS = 5.0  # how long a change to an account may go unnoticed by a worker
_GRACE_SECONDS = 1.0  # a provider keeps to its own deadline; this is for one that does not


@dataclass(frozen=True)
class Account:
    """What delivering needs to know of one provider account."""

    id: int | None  # None: the built-in outbox of test mode, which has no row
    name: str
    provider: str
    channel: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # as stored: `env:NAME` not yet read
    rate_limit: str = ""

    @property
    def keeps_messages(self) -> bool:
        return provider_class(self.provider).keeps_messages


@dataclass
class _Loaded:
    by_channel: dict[str, list[Account]]
    at: float


_loaded: _Loaded | None = None


def choose(*, channel: str, mode: str) -> Account | None:
    """Return the account that a delivery of this channel and mode goes through now; None: nobody set one up.

    Test mode always takes the built-in outbox. A live delivery without an account is held with the reason `account`:
    the outbox is taken only where an operator put it.
    """
    if mode == Mode.TEST:
        return Account(id=None, name="test-outbox", provider="outbox", channel=channel)
    return next(iter(usable(channel)), None)


def usable(channel: str) -> list[Account]:
    """Return the enabled accounts of a channel, first choice first, at most five seconds old (one query)."""
    global _loaded
    loaded = _loaded
    if loaded is None or time.monotonic() - loaded.at > _TTL_SECONDS:
        loaded = _loaded = _load()
    return loaded.by_channel.get(channel, [])


def forget() -> None:
    """Drop what was loaded, after a change made by this process."""
    global _loaded
    _loaded = None


def send(account: Account, messages: Sequence[Message]) -> list[Outcome]:
    """Send through an account, within settings.PROVIDER_TIMEOUT_SECONDS; one outcome per message, in order.

    Never raises for what a provider does. Call it outside any transaction.
    """
    try:
        provider = _provider(account)
    except options.BadOptions as error:
        return [Outcome.account(str(error))] * len(messages)
    try:
        outcomes = loop.run(
            provider.send_many(messages), deadline_seconds=settings.PROVIDER_TIMEOUT_SECONDS + _GRACE_SECONDS
        )
    except TimeoutError:
        logger.error("provider.overran", extra={"account": account.name, "messages": len(messages)})
        return [Outcome.unknown("The provider did not answer in time.")] * len(messages)
    except Exception:
        logger.exception("provider.crashed", extra={"account": account.name, "messages": len(messages)})
        return [Outcome.unknown("The provider's code failed.")] * len(messages)
    if len(outcomes) != len(messages):
        logger.error("provider.miscounted", extra={"account": account.name, "messages": len(messages)})
        return [Outcome.unknown("The provider did not say what became of each message.")] * len(messages)
    return outcomes


def provider_class(key: str) -> type[Provider]:
    """Return the provider of settings.NOTIFICATION_PROVIDERS with this key. Raises KeyError."""
    return provider_classes()[key]


@cache
def provider_classes() -> dict[str, type[Provider]]:
    classes = [import_string(path) for path in settings.NOTIFICATION_PROVIDERS]
    return {each.key: each for each in classes}


def _load() -> _Loaded:
    by_channel: dict[str, list[Account]] = {}
    for row in ProviderAccount.objects.filter(enabled=True).order_by("order", "name"):
        by_channel.setdefault(row.channel, []).append(
            Account(
                id=row.pk,
                name=row.name,
                provider=row.provider,
                channel=row.channel,
                options=row.options,
                rate_limit=row.rate_limit,
            )
        )
    return _Loaded(by_channel, time.monotonic())


def _provider(account: Account) -> Provider:
    try:
        provider = provider_class(account.provider)
    except KeyError:
        raise options.BadOptions(f"This installation has no provider {account.provider!r}.") from None
    resolved: Any = options.resolve(provider.Options, account.options)
    timeout = settings.PROVIDER_TIMEOUT_SECONDS
    stated = json.dumps([account.provider, timeout, asdict(resolved)], default=str, sort_keys=True)
    fingerprint = hashlib.sha256(stated.encode()).hexdigest()
    return loop.kept_provider(account.name, fingerprint, lambda: provider(resolved, timeout=timeout))
