"""A filter by time, for tables whose keys carry theirs."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from project.foundation import clock, ids

_SPANS = {"1": "The last 24 hours", "7": "The last 7 days", "30": "The last 30 days", "365": "The last year"}


class Since(SimpleListFilter):
    """Only what is younger than so many days, found by the primary key."""

    title = "When"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        return list(_SPANS.items())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.value() not in _SPANS:
            return queryset
        return queryset.filter(id__gte=ids.first_id_at(clock.now() - timedelta(days=int(str(self.value())))))
