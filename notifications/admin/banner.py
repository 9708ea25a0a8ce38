"""What every page of the admin says at its top while a service refuses an account."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from notifications import account_health


def context(request: HttpRequest) -> dict[str, Any]:
    """Add the refused accounts to each page, for those who may see accounts (UNFOLD's GLOBAL_CALLBACK)."""
    return {"refused_accounts": SimpleLazyObject(lambda: _refused(request))}


def _refused(request: HttpRequest) -> list[tuple[str, str]]:
    """Return a sentence and the account's page for each."""
    if not request.user.has_perm("notifications.view_provideraccount"):
        return []
    page = "admin:notifications_provideraccount_change"
    return [(each.text, reverse(page, args=[each.account_id])) for each in account_health.refused()]
