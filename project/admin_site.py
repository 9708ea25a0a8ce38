"""The admin site: who gets in, and the way through it in the words of the people who work there."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from notifications.pages.login import BY_LINK
from project.admin_login import TOO_MANY, WINDOW_SECONDS, LoginForm

# (group, [(title, icon of Material Symbols, model)]): what is not there, or not for this person, is left out.
_GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "Messages",
        [
            ("Notifications", "notifications", "notifications.Notification"),
            ("Broadcasts", "campaign", "notifications.Broadcast"),
            ("Dead letters", "unsubscribe", "notifications.DeadLetter"),
            ("Unknown outcomes", "help", "notifications.UnknownDelivery"),
            ("Outbox", "outbox", "notifications.OutboxMessage"),
            ("Inbox items", "inbox", "notifications.InboxItem"),
        ],
    ),
    (
        "Content",
        [("Templates", "article", "templates_app.Template")],
    ),
    (
        "People",
        [
            ("Users", "group", "preferences.User"),
            ("Consent ledger", "history_edu", "preferences.ConsentRecord"),
            ("Suppressions", "block", "preferences.Suppression"),
        ],
    ),
    (
        "Set-up",
        [
            ("Types", "category", "templates_app.Type"),
            ("Categories", "label", "preferences.Category"),
            ("Provider accounts", "cell_tower", "notifications.ProviderAccount"),
            ("Callers", "dns", "notifications.Caller"),
            ("API keys", "key", "notifications.ApiKey"),
        ],
    ),
    (
        "Insight",
        [("Audit trail", "policy", "foundation.AuditEvent")],
    ),
]


class CarillonAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """Refuses sessions that an e-mailed link opened, whatever rights the account has got since."""

    index_title = "Today"
    site_title = "Carillon"
    login_form = LoginForm

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Answer 429 to who has failed too often."""
        response: HttpResponse = super().login(request, extra_context)
        form = getattr(response, "context_data", {}).get("form")
        if form is not None and form.has_error(NON_FIELD_ERRORS, TOO_MANY):
            response.status_code = 429
            response["Retry-After"] = str(WINDOW_SECONDS)
        return response

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not request.session.get(BY_LINK, False)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar for one person (UNFOLD's SIDEBAR.navigation)."""
    today = {"title": "Today", "icon": "space_dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [today]}]
    for title, entries in _GROUPS:
        items = [_item(*entry) for entry in entries if _is_for(request, entry[2])]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _is_for(request: HttpRequest, label: str) -> bool:
    model = apps.get_model(label)
    registered = admin.site._registry.get(model)
    return registered is not None and registered.has_view_permission(request)


def _item(title: str, icon: str, label: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{label.lower().replace('.', '_')}_changelist")}
