"""The admin site: who gets in, and the way through it in the words of the people who work there."""

from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from notifications.pages.login import BY_LINK
from project.admin_login import TOO_MANY, WINDOW_SECONDS, LoginForm

# (group, [(title, icon of Material Symbols, model or model:page)]): left out is what is not there or not for them.
_GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "Messages",
        [
            ("Notifications", "notifications", "notifications.Notification"),
            ("Why did they get it?", "contact_support", "notifications.Notification:why"),
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
            ("Imports", "upload_file", "preferences.Import"),
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

_PAGE = "why"  # the only page of that sort so far


class CarillonAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """Refuses sessions that an e-mailed link opened, whatever rights the account has got since."""

    index_title = "Today"
    site_title = "Carillon"
    login_form = LoginForm

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Answer 429 to who has failed too often. Whoever came without a way back is led to the first page."""
        more = dict(extra_context or {})
        if REDIRECT_FIELD_NAME not in request.GET:  # the theme's form takes along what stands in its address alone
            more["app_path"] = f"{reverse('admin:login')}?{urlencode({REDIRECT_FIELD_NAME: reverse('admin:index')})}"
        response: HttpResponse = super().login(request, more)
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
        items = [_item(request, *entry) for entry in entries if _is_for(request, entry[2])]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _is_for(request: HttpRequest, label: str) -> bool:
    name, _colon, page = label.partition(":")
    registered = admin.site._registry.get(apps.get_model(name))
    if registered is None or not registered.has_view_permission(request):
        return False
    return not page or bool(getattr(registered, f"has_{page}_permission")(request))


def _item(request: HttpRequest, title: str, icon: str, label: str) -> dict[str, Any]:
    name, _colon, page = label.partition(":")
    model = f"admin:{name.lower().replace('.', '_')}"
    list_url, link = reverse(f"{model}_changelist"), reverse(f"{model}_{page or 'changelist'}")
    # A model's own pages lie under its list: the one that is open is lit, and the list is not.
    on_page = request.path.endswith(f"/{page or _PAGE}/")
    active = request.path.startswith(list_url) and on_page is bool(page)
    return {"title": title, "icon": icon, "link": link, "active": active}
