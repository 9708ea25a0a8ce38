"""Who a request is about, and who makes it."""

from rest_framework.request import Request

from preferences.models import User
from project.foundation.problems import NotFound, StaffUser


def exists(user_id: str) -> bool:
    return User.objects.filter(user_id=user_id, erased_at=None).exists()


def find(user_id: str) -> User:
    """Return the user. Raises NotFound, also for what cannot be a user_id."""
    user = User.objects.filter(user_id=user_id, erased_at=None).first() if "\0" not in user_id else None
    if user is None:
        raise NotFound("There is no such user.")
    return user


def find_changeable(user_id: str) -> User:
    """Return the user, whom a service may change. Raises NotFound, StaffUser."""
    user = find(user_id)
    if user.is_staff:
        raise StaffUser
    return user


def actor(request: Request) -> str:
    """Return who acts, as the audit trail and the ledger name them."""
    return str(getattr(request.auth, "actor", ""))
