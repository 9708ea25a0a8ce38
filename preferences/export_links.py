"""Links to everything about a person: signed, good for nothing else, and for a day. See settings.EXPORT_LINK_LIFE.

A link is not kept. It holds the person's key, how often their links were revoked, when it ends, and an id by which the
audit trail tells links apart. It ends with its time, when the person's links are revoked, and when they are erased.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.core import signing

from preferences.models import User
from project.foundation import audit, clock
from project.foundation.ids import new_id

_SALT = "preferences.export"


@dataclass(frozen=True)
class Link:
    url: str
    expires_at: datetime


def make(user: User, *, actor: str, ip: str = "") -> Link:
    """Return a new link to everything about a person. The audit trail says who asked for it."""
    id, ends = new_id().hex, int((clock.now() + settings.EXPORT_LINK_LIFE).timestamp())
    token = _signer().sign(f"{user.pk}-{user.link_generation}-{ends}-{id}")
    audit.record(actor, "user.export_link_made", f"user:{user.pk}", ip=ip, link=id)
    return Link(f"{settings.PUBLIC_URL}/export/{token}/", datetime.fromtimestamp(ends, tz=UTC))


def owner(token: str) -> tuple[User, str] | None:
    """Return whom a link is about, and its id; None when it has ended or never was one."""
    try:
        pk, generation, ends, id = _signer().unsign(token).split("-")
    except (signing.BadSignature, ValueError):
        return None
    if int(ends) <= clock.now().timestamp():
        return None
    user = User.objects.filter(pk=int(pk), link_generation=int(generation), erased_at=None).first()
    return (user, id) if user else None


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT, sep=".")
