"""Signing in by an e-mailed link: for people who come to change their settings. Never for staff, never by a GET.

A link holds the person's key and the moment of their last sign-in, signed. It opens once: signing in moves that moment,
by one conditional UPDATE, and with it every other open link of the person dies.
"""

import time
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from notifications import acceptance
from notifications.models import Notification
from preferences import contact_points
from preferences.addresses import InvalidAddress, normalise
from preferences.models import User
from preferences.pages import language
from project.foundation import clock, counters
from project.foundation.client_ip import line_of
from project.foundation.ids import first_id_at
from templates_app.models import Type

TYPE_KEY = "ACCOUNT_SIGN_IN"
LIFETIME = timedelta(minutes=15)
LINKS_PER_PERSON = 3  # within LIFETIME
REQUESTS_PER_IP = 30  # within LIFETIME
ANSWER_SECONDS = 0.5  # how long every request for a link takes
_PEOPLE_PER_ADDRESS = 3  # a family may share one; each gets a link of their own
_SALT = "notifications.sign_in"


class TooManyRequests(Exception):
    """This machine asked for too many links; the words are the view's."""


def request_link(identifier: str, *, ip: str, next_path: str = "") -> None:
    """Send a link to whoever `identifier` (a user_id or an e-mail address) stands for.

    Says nothing about whether there is such a person. Raises TooManyRequests per IP; a person who has enough links
    already gets no other, silently. It takes ANSWER_SECONDS either way: writing a mail takes longer than finding none.
    """
    _count(ip)
    started = time.monotonic()
    for user in _people(identifier):
        if not _has_enough(user):
            _send(user, next_path)
    time.sleep(max(0.0, ANSWER_SECONDS - (time.monotonic() - started)))


def owner(token: str) -> User | None:
    """Return whom an unused link signs in, or None. Changes nothing: mail scanners open links too."""
    opened = _open(token)
    return None if opened is None else _eligible().filter(pk=opened[0], last_login=opened[1]).first()


def use(token: str) -> User | None:
    """Return the person and use the link up; None when it was used, is too old, or is not for them any more."""
    opened = _open(token)
    if opened is None:
        return None
    pk, last_login = opened
    if not _eligible().filter(pk=pk, last_login=last_login).update(last_login=timezone.now()):
        return None
    return User.objects.get(pk=pk)


def safe_next(path: str) -> str:
    """Return `path` if it stays on this site, else the settings page."""
    stays = path.startswith("/") and url_has_allowed_host_and_scheme(path, None)
    return path if stays else reverse("settings_page")


def _people(identifier: str) -> list[User]:
    found = list(_eligible().filter(user_id=identifier))
    return found or list(_eligible().filter(pk__in=_owners(identifier))[:_PEOPLE_PER_ADDRESS])


def _owners(address: str) -> list[int]:
    try:
        return contact_points.find_users("email", normalise("email", address))
    except InvalidAddress:
        return []


def _eligible() -> QuerySet[User]:
    return User.objects.filter(is_staff=False, is_superuser=False, is_active=True, erased_at=None)


def _send(user: User, next_path: str) -> None:
    query = f"?{urlencode({'next': next_path})}" if next_path else ""
    link = settings.PUBLIC_URL + reverse("sign_in_link", args=[_token(user)]) + query
    with translation.override(language.of(user.locale)):
        payload = {
            "title": _("Your link to sign in"),
            "body": _(
                "Use this link within 15 minutes to sign in. It works once. "
                "If you did not ask for it, you can ignore this message: nobody can sign in without it."
            ),
            "link": link,
            "template_variables": {},
        }
    acceptance.accept(
        acceptance.Request(
            user=user,
            type=Type.objects.get(key=TYPE_KEY),
            payload=payload,
            priority="HIGH",
            channels_preferred=["email"],
            expires_at=clock.now() + LIFETIME,
        )
    )


def _token(user: User) -> str:
    last = user.last_login.isoformat() if user.last_login else ""
    return signing.dumps([user.pk, last], salt=_SALT)


def _open(token: str) -> tuple[int, datetime | None] | None:
    try:
        pk, last = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return pk, datetime.fromisoformat(last) if last else None


def _has_enough(user: User) -> bool:
    since = first_id_at(clock.now() - LIFETIME)
    sent = Notification.objects.filter(user=user, id__gte=since, type__key=TYPE_KEY).count()
    return sent >= LINKS_PER_PERSON


def _count(ip: str) -> None:
    if counters.count(f"sign_in:{line_of(ip)}", LIFETIME.total_seconds()) > REQUESTS_PER_IP:
        raise TooManyRequests
