"""Provider accounts in use: which one a delivery goes through, and sending through it."""

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from msgspec import structs

from notifications import rate_limits
from notifications.models import ProviderAccount
from notifications.providers import loop, options
from notifications.providers.base import Message, Outcome, Provider
from notifications.providers.callbacks import Callback, Receipt
from notifications.rate_limits import Rate

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
    rate: Rate | None = None  # None: as fast as it goes
    enabled: bool = True
    order: int = 10
    weight: int = 1  # its share among the accounts of the same order
    countries: frozenset[str] = frozenset()  # ISO 3166-1 alpha-2; none: all
    categories: frozenset[str] = frozenset()  # categories' keys; none: all

    @property
    def keeps_messages(self) -> bool:
        known = provider_classes().get(self.provider)
        return known is not None and known.keeps_messages


@dataclass
class Loaded:
    by_channel: dict[str, list[Account]]
    at: float


_loaded: Loaded | None = None


def of_test_mode(channel: str) -> Account:
    """Return what test mode sends through: the built-in outbox, whatever accounts there are."""
    return Account(id=None, name="test-outbox", provider="outbox", channel=channel)


def of_channel(channel: str) -> list[Account]:
    """Return the accounts of a channel, first choice first, at most five seconds old (one query).

    The outbox is taken only where an operator put it first: it never stands in for an account that sends.
    """
    return loaded().by_channel.get(channel, [])


def loaded() -> Loaded:
    """Return all accounts, at most five seconds old: the same object until they are loaded anew."""
    global _loaded
    found = _loaded
    if found is None or time.monotonic() - found.at > _TTL_SECONDS:
        found = _loaded = _load()
    return found


def usable(channel: str) -> list[Account]:
    """Return those of its accounts that no operator has switched off."""
    return [account for account in of_channel(channel) if account.enabled]


def forget() -> None:
    """Drop what was loaded, after a change made by this process."""
    global _loaded
    _loaded = None


def send(account: Account, messages: Sequence[Message]) -> list[Outcome]:
    """Send through an account, within its time; one outcome per message, in order.

    Never raises for what a provider does. Call it outside any transaction.
    """
    try:
        provider = _provider(account)
    except options.BadOptions as error:
        return [Outcome.account(str(error))] * len(messages)
    try:
        outcomes = loop.run(
            provider.send_many(messages), deadline_seconds=timeout_seconds(account.channel) + _GRACE_SECONDS
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
    return [_as_a_wait(outcome) for outcome in outcomes]


def _as_a_wait(outcome: Outcome) -> Outcome:
    """Turn "not before this time" into seconds from now: added to any later moment they are never too short."""
    if outcome.until is None:
        return outcome
    seconds = (outcome.until - datetime.now(tz=UTC)).total_seconds()
    return structs.replace(outcome, until=None, retry_after=max(seconds, outcome.retry_after or 0.0))


def read(row: ProviderAccount, callback: Callback) -> list[Receipt]:
    """Return what a service reports to an account, once the request has proved where it comes from.

    Raises NotGenuine, ValueError when it makes no sense, BadOptions when the account cannot be used, and TimeoutError
    when what the proof needs could not be had in time. Call it outside any transaction.
    """
    provider = _provider(_account(row))
    loop.run(provider.verify(callback), deadline_seconds=settings.PROVIDER_TIMEOUT_SECONDS + _GRACE_SECONDS)
    return provider.read_receipts(callback)


def once(row: ProviderAccount, callback: Callback) -> str:
    """Return what a verified request carries that no other may; "" where there is no such thing."""
    return _provider(_account(row)).once(callback)


def of_row(row: ProviderAccount) -> Account:
    """Return an account as it is stored now."""
    return _account(row)


def callback_url(provider: str, name: str) -> str:
    """Return the public URL at which a service reports to the account `name`."""
    return f"{settings.PUBLIC_URL}/receipts/{provider}/{name}/"


def timeout_seconds(channel: str) -> float:
    """Return what one call of a channel's provider may take. Webhooks' servers are people's own, and slow."""
    seconds: float = settings.WEBHOOK_TIMEOUT_SECONDS if channel == "webhook" else settings.PROVIDER_TIMEOUT_SECONDS
    return seconds


def provider_class(key: str) -> type[Provider]:
    """Return the provider of settings.NOTIFICATION_PROVIDERS with this key. Raises KeyError."""
    return provider_classes()[key]


def has_many_servers(account: Account) -> bool:
    """Whether each of its addresses is a server of its own, so that one's failures say nothing of the others."""
    known = provider_classes().get(account.provider)
    return known is not None and known.many_servers


@cache
def provider_classes() -> Mapping[str, type[Provider]]:
    """Return the providers of settings.NOTIFICATION_PROVIDERS by their keys."""
    return _Installed(settings.NOTIFICATION_PROVIDERS)


def load_those_in_use() -> None:
    """Load the providers that accounts name, so that processes forked from this one share them."""
    for key in ProviderAccount.objects.order_by().values_list("provider", flat=True).distinct():
        provider_classes().get(key)


class _Installed(Mapping[str, type[Provider]]):
    """Loads a provider when it is asked for: each brings the libraries of its service along."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths, self._loaded = paths, dict[str, type[Provider]]()

    def __getitem__(self, key: str) -> type[Provider]:
        if key not in self._loaded:
            self._loaded[key] = import_string(self._paths[key])
        return self._loaded[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _load() -> Loaded:
    by_channel: dict[str, list[Account]] = {}
    found = [_account(row) for row in ProviderAccount.objects.order_by("order", "name")]
    for account in sorted(found, key=lambda each: (each.order, each.keeps_messages)):
        before = by_channel.setdefault(account.channel, [])
        if not account.keeps_messages or all(each.keeps_messages for each in before):
            before.append(account)
    return Loaded(by_channel, time.monotonic())


def _account(row: ProviderAccount) -> Account:
    return Account(
        id=row.pk,
        name=row.name,
        provider=row.provider,
        channel=row.channel,
        options=row.options,
        rate=_rate(row),
        enabled=row.enabled,
        order=row.order,
        weight=row.weight,
        countries=frozenset(row.countries),
        categories=frozenset(row.categories),
    )


def _rate(row: ProviderAccount) -> Rate | None:
    try:
        return rate_limits.parse(row.rate_limit)
    except ValueError:  # not written by account_changes
        logger.error("account.rate_limit_unreadable", extra={"account": row.name})
        return None


def _provider(account: Account) -> Provider:
    try:
        provider = provider_class(account.provider)
    except KeyError:
        raise options.BadOptions(f"This installation has no provider {account.provider!r}.") from None
    resolved: Any = options.resolve(provider.Options, account.options)
    timeout = timeout_seconds(account.channel)
    stated = json.dumps([account.provider, timeout, asdict(resolved)], default=str, sort_keys=True)
    fingerprint = hashlib.sha256(stated.encode()).hexdigest()

    def make() -> Provider:
        made = provider(resolved, timeout=timeout)
        made.callback_url = callback_url(account.provider, account.name)
        return made

    return loop.kept_provider(account.name, fingerprint, make)
