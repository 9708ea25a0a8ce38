"""Whom somebody means who types a user id or an address."""

from preferences import addresses, contact_points
from preferences.models import User

_TYPED = ("email", "sms", "voice")  # channels whose addresses people type; the others' are made by machines


def by_user_id(text: str) -> list[User]:
    """Return the person with this user id, in a list as the others are."""
    return list(User.objects.filter(user_id=text.strip()))


def by_address(text: str) -> list[User]:
    """Return whoever has this whole address: several where a household shares one. Found by its fingerprint."""
    return list(User.objects.filter(pk__in=keys_by_address(text)).order_by("user_id"))


def keys_by_address(text: str) -> set[int]:
    """Return the keys of whoever has this whole address."""
    return {pk for channel in _TYPED for pk in _owners(channel, text)}


def _owners(channel: str, text: str) -> list[int]:
    try:
        return contact_points.find_users(channel, addresses.normalise(channel, text))
    except addresses.InvalidAddress:
        return []
