"""Keys made and ended by keys: none can hand out more than it has."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from notifications.access import keys
from notifications.access.keys import Credentials
from notifications.models import ApiKey, Caller, Mode
from project.foundation.problems import Conflict, Fault, Forbidden, InvalidRequest


class ScopeNotHeld(Forbidden):
    code, title = "scope_not_held", "A key cannot grant scopes that it lacks."


@transaction.atomic
def issue(
    granter: Credentials,
    *,
    scopes: Sequence[str],
    mode: str | None,
    caller_key: str | None,
    name: str,
    rate_limit: str,
    expires_at: datetime | None,
) -> tuple[ApiKey, str]:
    """Make a key for the granter's own caller, or for the one named, which is made when new.

    Raises InvalidRequest, or ScopeNotHeld.
    """
    mode = mode or granter.mode
    _refuse_more(granter, scopes, mode)
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidRequest(errors=[Fault("/expires_at", "invalid_value", "This time is over.")])
    wanted = caller_key or granter.caller_key
    caller, _ = Caller.objects.get_or_create(key=wanted, defaults={"name": wanted})
    return keys.issue(
        caller,
        mode,
        scopes,
        actor=granter.actor,
        name=name,
        rate_limit=rate_limit,
        expires_at=expires_at,
    )


def rotate(granter: Credentials, key: ApiKey) -> tuple[ApiKey, str]:
    """Make a key's successor. Raises ScopeNotHeld, or Conflict when the key has ended."""
    _refuse_more(granter, key.scopes, key.mode)
    ended = key.expires_at is not None and key.expires_at <= timezone.now()
    if ended or key.revoked_at is not None:
        raise Conflict("This key has ended. Issue a new one.")
    return keys.rotate(key, actor=granter.actor)


def revoke(granter: Credentials, key: ApiKey) -> None:
    """End a key. Raises ScopeNotHeld: what runs live is not for a test key to stop."""
    if granter.mode == Mode.TEST and key.mode == Mode.LIVE:
        raise ScopeNotHeld("A test key cannot revoke live keys.")
    keys.revoke(key, actor=granter.actor)


def _refuse_more(granter: Credentials, scopes: Sequence[str], mode: str) -> None:
    if granter.mode == Mode.TEST and mode == Mode.LIVE:
        raise ScopeNotHeld("A test key cannot make live keys.")
    if missing := sorted(set(scopes) - granter.scopes):
        raise ScopeNotHeld(f"This key lacks {', '.join(missing)}.")
