"""The signed links that people get: to their settings, and to stop one kind of message on one channel.

Both hold keys alone, no personal data. They are signed by SECRET_KEY; those signed by one of SECRET_KEY_FALLBACKS stay
good. Neither ends by itself: a mail is read years later, and its unsubscribe link must work then (CAN-SPAM asks for 30
days at least). A settings link dies when the person's links are revoked; an unsubscribe link can only stop, and stays.
"""

import hashlib
import hmac
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.core import signing
from django.db.models import F, QuerySet

from preferences.models import Category, PreferenceLink, User
from project.foundation import clock

_FOR_URLS = bytes.maketrans(b"+/", b"-_")  # RFC 4648 §5
_SETTINGS, _MINTED, _STOP = "preferences.settings", "preferences.minted", "preferences.unsubscribe"


@dataclass(frozen=True)
class Stop:
    """What an unsubscribe link is about."""

    user: User
    category: Category
    channel: str
    generation: int  # of the person's links when it was made


def settings_url(user_pk: int, generation: int) -> str:
    """Return the link to a person's settings that stands in every mail."""
    return f"{_base()}/preferences/{_signed(_SETTINGS, f'{user_pk}-{generation}')}/"


def minted_url(link: PreferenceLink) -> str:
    return f"{_base()}/preferences/{_signed(_MINTED, f'm{link.pk.hex}')}/"


def unsubscribe_url(user_pk: int, category_pk: int, channel: str, generation: int) -> str:
    return unsubscribe_urls(category_pk, channel)(user_pk, generation)


def unsubscribe_urls(category_pk: int, channel: str) -> Callable[[int, int], str]:
    """Return what makes the unsubscribe links of many people, by the user's key and the generation of their links."""
    start, signing = f"{_base()}/u/", _signing(_STOP, settings.SECRET_KEY)

    def url(user_pk: int, generation: int) -> str:
        return f"{start}{_token(signing, f'{user_pk}-{category_pk}-{channel}-{generation}')}/"

    return url


def settings_url_of(stop: Stop) -> str:
    """Return where an unsubscribe link leads on to: where links were revoked since, or to staff, only by signing in."""
    if stop.user.is_staff or stop.generation != stop.user.link_generation:
        return f"{_base()}/preferences/"
    return settings_url(stop.user.pk, stop.generation)


def owner(token: str) -> User | None:
    """Return whose settings a link opens; None when it was revoked, has expired, or never was one."""
    return _owner_of_minted(token) if token.startswith("m") else _owner_of_mailed(token)


def stop(token: str) -> Stop | None:
    """Return what an unsubscribe link stops; None for what is none, or whose person or category is gone."""
    said = _read(_STOP, token)
    if said.count("-") != 3:
        return None
    user_pk, category_pk, channel, generation = said.split("-")
    user = User.objects.filter(pk=int(user_pk), erased_at=None).first()
    category = Category.objects.filter(pk=int(category_pk)).first()
    return Stop(user, category, channel, int(generation)) if user and category else None


def revoke_all(user: User) -> None:
    """End every settings link of a person, those in mails already sent included."""
    User.objects.filter(pk=user.pk).update(link_generation=F("link_generation") + 1)
    PreferenceLink.objects.filter(user=user, revoked_at=None).update(revoked_at=clock.now())


def _owner_of_mailed(token: str) -> User | None:
    said = _read(_SETTINGS, token)
    user_pk, dash, generation = said.partition("-")
    if not dash:
        return None
    return _people().filter(pk=int(user_pk), link_generation=int(generation)).first()


def _owner_of_minted(token: str) -> User | None:
    if not (said := _read(_MINTED, token)):
        return None
    link = PreferenceLink.objects.filter(pk=said[1:], revoked_at=None, expires_at__gt=clock.now()).first()
    return _people().filter(pk=link.user_id).first() if link else None


def _people() -> "QuerySet[User]":
    return User.objects.filter(erased_at=None, is_active=True, is_staff=False)


def _read(salt: str, token: str) -> str:
    try:
        return _signer(salt).unsign(token)
    except signing.BadSignature:
        return ""


def _signed(salt: str, value: str) -> str:
    """Return what Signer.sign returns, at a fraction of its cost: two links stand in every mail."""
    return _token(_signing(salt, settings.SECRET_KEY), value)


def _token(signing: hmac.HMAC, value: str) -> str:
    signature = signing.copy()
    signature.update(value.encode())
    return f"{value}.{b2a_base64(signature.digest(), newline=False).translate(_FOR_URLS, b'=').decode()}"


@lru_cache(maxsize=8)
def _signing(salt: str, secret: str) -> hmac.HMAC:
    """Return what signs by the key that django.utils.crypto.salted_hmac makes of SECRET_KEY for a Signer. To copy."""
    return hmac.new(hashlib.sha256(f"{salt}signer{secret}".encode()).digest(), digestmod="sha256")


def _signer(salt: str) -> signing.Signer:
    return signing.Signer(salt=salt, sep=".")


def _base() -> str:
    url: str = settings.PUBLIC_URL
    return url
