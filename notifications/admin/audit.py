"""The trail: who did what to what, in the admin, by API and by links."""

import re
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from preferences.admin.base import moment, who
from preferences.admin.csv_export import CsvExportAdmin
from preferences.admin.since import Since
from preferences.models import User
from project.foundation.ids import created_at
from project.foundation.models import AuditEvent

# What acts are about, by how their names begin.
_ABOUT = {
    "people": ("People's data", ["user.", "consentrecord.", "inboxitem.", "notification.", "outboxmessage.",
                                 "explanation.", "preference_links.", "suppression", "import"]),
    "keys": ("Keys and callers", ["key.", "caller.", "apikey."]),
    "accounts": ("Provider accounts", ["provider_account.", "provideraccount.", "receipt."]),
    "content": ("Templates, types, categories, topics", ["template", "type.", "category.", "topic."]),
    "sending": ("Broadcasts, dead letters, deliveries", ["broadcast.", "dead_letter", "delivery."]),
    "trail": ("This trail", ["auditevent."]),
}  # fmt: skip
# What Django's names of models are called here.
_KINDS = {
    "auditevent": "audit trail",
    "consentrecord": "consent ledger",
    "inboxitem": "inbox item",
    "outboxmessage": "outbox message",
    "apikey": "API key",
}
_PK = re.compile(r"[0-9]{1,18}")
_BY = {"staff": "Staff", "key": "Services", "user": "People themselves", "link": "Holders of links"}


class About(SimpleListFilter):
    title, parameter_name = "About", "about"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [(key, words) for key, (words, _) in _ABOUT.items()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[AuditEvent]") -> "QuerySet[AuditEvent]":
        _, begins = _ABOUT.get(self.value() or "", ("", []))
        return queryset.filter(Q(*[("action__startswith", each) for each in begins], _connector=Q.OR))


class By(SimpleListFilter):
    title, parameter_name = "Who", "by"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [*_BY.items(), ("system", "Carillon")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[AuditEvent]") -> "QuerySet[AuditEvent]":
        if self.value() == "system":
            return queryset.filter(actor="system")
        return queryset.filter(actor__startswith=f"{self.value()}:") if self.value() in _BY else queryset


class AuditAdmin(CsvExportAdmin):
    """Who did what to what, in the admin and by API."""

    empty_says = "Every change made by staff, by the API or by Carillon itself adds a line here."
    list_display = ["at", "who", "did", "whom", "about"]
    list_filter = [Since, About, By]
    search_fields = ["actor", "action", "target"]
    search_help_text = "Who, what or to what: “staff:grace”, “key.issued”, “category:offers”, or a user id"
    fields = ["at", "who", "did", "whom", "about", "ip"]
    readonly_fields = ["at", "who", "did", "whom", "about"]
    csv_columns = {
        "at": lambda event: created_at(event.id),
        "actor": lambda event: event.actor,
        "action": lambda event: event.action,
        "target": lambda event: event.target,
        "detail": lambda event: _told(event.detail),
        "ip": lambda event: event.ip,
        "id": lambda event: event.id,
    }

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[AuditEvent]", search_term: str
    ) -> "tuple[QuerySet[AuditEvent], bool]":
        """Find people by their user id too: the trail knows them by our own key alone."""
        found, doubles = super().get_search_results(request, queryset, search_term)
        pk = User.objects.filter(user_id=search_term.strip()).values_list("pk", flat=True).first()
        if pk is None:
            return found, doubles
        return found | queryset.filter(Q(target=f"user:{pk}") | Q(actor=f"user:{pk}")), doubles

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Add the people's own ids. One query for all rows."""
        found = super().get_changelist_instance(request)
        _name_people(list(found.result_list))
        return found

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AuditEvent | None:
        event: AuditEvent | None = super().get_object(request, object_id, from_field)
        _name_people([event] if event else [])
        return event

    @admin.display(description="When", ordering="id")
    def at(self, event: AuditEvent) -> str:
        return moment(created_at(event.id))

    @admin.display(description="Who", ordering="actor")
    def who(self, event: AuditEvent) -> str:
        kind, _, key = event.actor.partition(":")
        return who(f"user:{_names(event).get(key, key)}" if kind == "user" else event.actor)

    @admin.display(description="Did", ordering="action")
    def did(self, event: AuditEvent) -> str:
        kind, _, act = event.action.partition(".")
        words = f"{_KINDS.get(kind, kind)} {act}".replace("_", " ").strip()
        return words[:1].upper() + words[1:]

    @admin.display(description="To what", ordering="target")
    def whom(self, event: AuditEvent) -> str:
        kind, _, key = event.target.partition(":")
        if kind != "user" or key not in _names(event):
            return _KINDS.get(event.target, event.target)
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:preferences_user_change", args=[key]), _names(event)[key]
        )

    @admin.display(description="More")
    def about(self, event: AuditEvent) -> str:
        return _told(event.detail) or "–"


def _name_people(events: list[AuditEvent]) -> None:
    """Note on each event the user ids of the people whom it names by our key."""
    named = (each.partition(":") for event in events for each in (event.actor, event.target))
    pks = {int(key) for kind, _, key in named if kind == "user" and _PK.fullmatch(key)}
    found = {str(pk): name for pk, name in User.objects.filter(pk__in=pks).values_list("pk", "user_id")}
    for event in events:
        event.people = found  # type: ignore[attr-defined]


def _names(event: AuditEvent) -> dict[str, str]:
    return getattr(event, "people", {})


def _told(detail: dict[str, Any]) -> str:
    return "; ".join(f"{key}: {_words(value)}" for key, value in detail.items())


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
