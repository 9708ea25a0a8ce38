"""Changing provider accounts: the only writer of their rows, for the API and the admin alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
from django.db import transaction

from notifications import account_states, accounts, doorbell, rate_limits
from notifications.models import ProviderAccount
from notifications.providers import options
from preferences.models import Category
from project.foundation import audit, clock
from project.foundation.problems import Fault, InvalidRequest

NAME_LENGTH = 100
BY_NUMBER = ("sms", "voice")  # channels whose addresses have a country


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An account as it shall be. A credential that is absent, or given as it was shown, stays what it was."""

    provider: str
    channel: str | None = None  # None: the provider's only one
    options: Mapping[str, Any]
    order: int = 10
    enabled: bool = True
    rate_limit: str = ""  # "100/s", "1000/m"; "" = none
    weight: int = 1  # its share among the accounts of the same order
    countries: Sequence[str] = ()  # ISO 3166-1 alpha-2, of phone numbers; none = all
    categories: Sequence[str] = ()  # categories' keys; none = all


@transaction.atomic
def save(name: str, wanted: Wanted, *, actor: str) -> tuple[ProviderAccount, bool]:
    """Store an account under `name`; return it and whether it is new. Raises InvalidRequest naming every fault.

    Workers notice within five seconds. An account that was refused, or failing, is tried again with one message, and
    what was held for it goes on when it works.
    """
    stored = ProviderAccount.objects.select_for_update().filter(name=name).first()
    if len(name) > NAME_LENGTH:
        raise InvalidRequest(errors=[Fault("/name", "too_long", f"A name has at most {NAME_LENGTH} characters.")])
    channel, merged = _checked(wanted, stored)
    account, created = ProviderAccount.objects.update_or_create(
        name=name,
        defaults={
            "provider": wanted.provider,
            "channel": channel,
            "options": merged,
            "order": wanted.order,
            "enabled": wanted.enabled,
            "rate_limit": wanted.rate_limit,
            "weight": wanted.weight,
            "countries": _sorted(wanted.countries, str.upper),
            "categories": _sorted(wanted.categories, str),
        },
    )
    account_states.forgive(account.pk)
    audit.record(actor, "provider_account.saved", f"provider_account:{name}", changed=_changed(stored, account))
    _tell_workers(account.channel)
    return account, created


@transaction.atomic
def try_again(account: ProviderAccount, *, actor: str) -> None:
    """Take an account that was refused back into use as it is, beginning with one message."""
    account_states.forgive(account.pk)
    audit.record(actor, "provider_account.tried_again", f"provider_account:{account.name}")
    _tell_workers(account.channel)


@transaction.atomic
def pause(account: ProviderAccount, *, actor: str) -> None:
    """Send nothing more through an account. What has no other account is held; what is under way is let through."""
    _set_enabled(account, False)
    audit.record(actor, "provider_account.paused", f"provider_account:{account.name}")


@transaction.atomic
def resume(account: ProviderAccount, *, actor: str) -> None:
    """Send through an account again; what was held for it goes on."""
    _set_enabled(account, True)
    account_states.forgive(account.pk)
    audit.record(actor, "provider_account.resumed", f"provider_account:{account.name}")
    _tell_workers(account.channel)


def _set_enabled(account: ProviderAccount, enabled: bool) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(enabled=enabled, updated_at=clock.now())
    transaction.on_commit(accounts.forget)


@transaction.atomic
def remove(account: ProviderAccount, *, actor: str) -> None:
    """Delete an account. What went through it stays in the history."""
    audit.record(actor, "provider_account.removed", f"provider_account:{account.name}")
    account.delete()
    transaction.on_commit(accounts.forget)


def _tell_workers(channel: str) -> None:
    transaction.on_commit(accounts.forget)
    doorbell.ring(channel)


def _checked(wanted: Wanted, stored: ProviderAccount | None) -> tuple[str, dict[str, Any]]:
    provider = accounts.provider_classes().get(wanted.provider)
    if provider is None:
        known = ", ".join(sorted(accounts.provider_classes()))
        raise InvalidRequest(errors=[Fault("/provider", "unknown_provider", f"It must be one of {known}.")])
    found = []
    channel = wanted.channel
    if channel is None and len(provider.channels) == 1:
        channel = provider.channels[0]
    if channel not in provider.channels:
        names = ", ".join(provider.channels)
        found.append(Fault("/channel", "unknown_channel", f"For {wanted.provider} it must be one of {names}."))
    try:
        rate_limits.parse(wanted.rate_limit)
    except ValueError as error:
        found.append(Fault("/rate_limit", "invalid_value", str(error)))
    found += serving_faults(channel or "", wanted.countries, wanted.categories)
    before = stored.options if stored is not None and stored.provider == wanted.provider else {}
    merged, faults = options.merged(provider.Options, wanted.options, before)
    found += faults
    if found or channel is None:
        raise InvalidRequest(errors=found)
    return channel, merged


def serving_faults(channel: str, countries: Sequence[str], categories: Sequence[str]) -> list[Fault]:
    """Return what is wrong with what an account shall serve."""
    found = []
    if countries and channel not in BY_NUMBER:
        found.append(Fault("/countries", "invalid_value", "Only phone numbers have a country: sms and voice."))
    unknown = sorted({each.upper() for each in countries} - phonenumbers.SUPPORTED_REGIONS)
    if unknown:
        words = f"{', '.join(unknown)}: a country is written in two letters, as DE."
        found.append(Fault("/countries", "invalid_value", words))
    known = set(Category.objects.filter(key__in=categories).values_list("key", flat=True)) if categories else set()
    if strange := [key for key in categories if key not in known]:
        found.append(Fault("/categories", "unknown_category", f"There is no category {', '.join(strange)}."))
    return found


def _sorted(words: Sequence[str], form: Callable[[str], str]) -> list[str]:
    return sorted({form(word) for word in words})


def _changed(stored: ProviderAccount | None, account: ProviderAccount) -> list[str]:
    """Return the names of what changed, never the values: options hold credentials."""
    fields = ("provider", "channel", "order", "weight", "countries", "categories", "enabled", "rate_limit")
    before = {name: getattr(stored, name) for name in fields} | (stored.options if stored else {}) if stored else {}
    after = {name: getattr(account, name) for name in fields} | account.options
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
