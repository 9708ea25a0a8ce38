"""Sending one test message through an account, to see whether it works: at once, past the queue and the rules."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.cache import cache
from redis.exceptions import RedisError

from notifications import account_states, accounts
from notifications.models import ProviderAccount
from notifications.providers.base import About, Message, Outcome
from preferences import addresses, webhook_secrets
from preferences.decisions import ContactPointFacts
from preferences.loading import load_person
from preferences.models import Suppression, User
from project.foundation import audit
from project.foundation.ids import new_id
from templates_app import rendering

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5  # an account is tried no more often: this is no way to send in earnest
_TITLE = "A test from Carillon"
_BODY = "This message was sent by hand to see whether the account works. There is nothing to do."


class CannotTry(Exception):
    """There is nobody to send it to, or not yet. The message is a sentence."""


@dataclass(frozen=True)
class Trial:
    outcome: Outcome
    words: str  # for people, without credentials

    @property
    def worked(self) -> bool:
        return self.outcome.kind == "accepted"


def send(account: ProviderAccount, to: str, *, actor: str) -> Trial:
    """Send one message through an account, paused or not, within the provider's deadline, and say what became of it.

    `to` is a user's ID, for their first usable address of its channel, or an address. Raises CannotTry. Call it
    outside any transaction. It leaves one line in the audit trail and nothing in the history, and says nothing to the
    account's circuit.
    """
    point = _point(account.channel, to.strip())
    if not _may_try(account):
        raise CannotTry(f"This account was tried just now. Wait {EVERY_SECONDS} seconds.")
    used = accounts.of_row(account)
    [outcome] = accounts.send(used, [_message(account.channel, point)])
    audit.record(actor, "provider_account.tested", f"provider_account:{account.name}", outcome=outcome.kind)
    logger.info("account.tested", extra={"account": account.name, "outcome": outcome.kind})
    return Trial(outcome, account_states.without_credentials(_words(outcome), used))


def _point(channel: str, to: str) -> ContactPointFacts:
    user = User.objects.filter(user_id=to).only("pk").first()
    if user is not None:
        points = load_person(user.pk).contact_points
        found = next((point for point in points if point.channel == channel and point.usable), None)
        if found is None:
            raise CannotTry("This person has no address on the account's channel that may be used.")
        return found
    try:
        form = addresses.reachable(channel, to)
    except addresses.InvalidAddress as error:
        raise CannotTry(str(error)) from None
    if Suppression.objects.filter(channel=channel, address_index__in=addresses.indexes(channel, form)).exists():
        raise CannotTry("This address is blocked: nobody may use it.")
    return ContactPointFacts(id=new_id(), channel=channel, address=form)


def _may_try(account: ProviderAccount) -> bool:
    try:
        return bool(cache.add(f"account-trial:{account.pk}", 1, timeout=EVERY_SECONDS))
    except (RedisError, OSError):  # a cache that is away stops nobody
        logger.warning("account_trial.not_counted")
        return True


def _message(channel: str, point: ContactPointFacts) -> Message:
    variables = {
        "title": _TITLE,
        "body": _BODY,
        "link": "",
        "type": "TEST",
        "user": {"user_id": "", "name": ""},
        "category": {"key": "test", "name": "Test"},
        "unsubscribe_url": "",
    }
    rendered = rendering.render_standard(channel, locale="en", timezone="UTC", variables=variables, data={})
    return Message(
        delivery_id=new_id(),
        channel=channel,
        to=point.address,
        parts=dict(rendered.parts),
        secrets=webhook_secrets.signing(point.secret, datetime.now(tz=UTC)) if point.secret else (),
        about=About(type_key="TEST", locale="en", title=_TITLE, body=_BODY),
    )


def _words(outcome: Outcome) -> str:
    match outcome.kind:
        case "accepted":
            return f"It works: the message was taken{_as(outcome.provider_message_id)}."
        case "recipient":
            return f"The account works, and this address was refused: {outcome.error}"
        case "account":
            return f"The account was refused: {outcome.error}"
        case "throttled":
            return f"It asks to wait {round(outcome.retry_after or 0)} seconds: {outcome.error}"
        case "unknown":
            return f"Its answer was lost, and the message may have been taken: {outcome.error}"
        case _:
            return f"It did not work this time, and surely was not sent: {outcome.error}"


def _as(provider_message_id: str) -> str:
    return f" as {provider_message_id}" if provider_message_id else ""
