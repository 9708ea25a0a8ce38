"""The admin's first page: how today goes, and what needs somebody."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from notifications import account_health, accounts
from notifications.admin import words
from notifications.models import Delivery, Mode, Notification
from preferences.channels import CHANNELS
from project.foundation import clock, ids

_PERIOD = timedelta(hours=24)
Status = Delivery.Status
_ARRIVED = {Status.SENT, Status.DELIVERED, Status.OPENED, Status.CLICKED}
_FAILED = {Status.FAILED, Status.BOUNCED, Status.COMPLAINED, Status.EXPIRED, Status.UNKNOWN}
_ENDED_QUIETLY = {Status.SKIPPED, Status.CANCELLED}


@dataclass(frozen=True)
class Bar:
    label: str
    count: int
    share: int  # percent of the longest
    pill: str = ""


@dataclass(frozen=True)
class Attention:
    """Something that waits for a person."""

    text: str
    url: str


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the last 24 hours to the index page (UNFOLD's DASHBOARD_CALLBACK). Three queries."""
    if not request.user.has_perm("notifications.view_notification"):
        return context
    since = ids.first_id_at(clock.now() - _PERIOD)
    live = Delivery.objects.filter(id__gte=since, mode=Mode.LIVE)
    counted = live.order_by().values_list("channel", "status").annotate(total=Count("id"))
    by_channel: Counter[str] = Counter()
    by_status: Counter[str] = Counter()
    for channel, status, total in counted:
        by_channel[channel] += total if status not in _ENDED_QUIETLY else 0
        by_status[status] += total
    return context | {
        "figures": _figures(since, by_status),
        "channels": _bars({CHANNELS[key].name: total for key, total in by_channel.most_common() if total}),
        "statuses": _bars({str(Status(key).label): total for key, total in by_status.most_common()}),
        "attention": _attention(by_status),
    }


def _figures(since: Any, by_status: Counter[str]) -> list[tuple[str, int]]:
    asked = Notification.objects.filter(id__gte=since, mode=Mode.LIVE).count()
    arrived = sum(by_status[status] for status in _ARRIVED)
    failed = sum(by_status[status] for status in _FAILED)
    waiting = by_status.total() - arrived - failed - sum(by_status[status] for status in _ENDED_QUIETLY)
    return [("Asked for", asked), ("Sent", arrived), ("On the way", waiting), ("Failed", failed)]


def _bars(counts: dict[str, int]) -> list[Bar]:
    longest = max(counts.values(), default=1)
    return [
        Bar(label, count, max(2, round(100 * count / longest)), words.pill(label) if label in words.PILLS else "")
        for label, count in counts.items()
    ]


def _attention(by_status: Counter[str]) -> list[Attention]:
    deliveries = reverse("admin:notifications_notification_changelist")
    found = [
        Attention(trouble.text, reverse("admin:notifications_provideraccount_change", args=[trouble.account_id]))
        for trouble in account_health.troubles()
    ]
    if held := by_status[Status.HELD]:
        found.append(
            Attention(f"{_count(held)} held and wait for an operator.", f"{deliveries}?status__exact=processing")
        )
    if failed := sum(by_status[status] for status in _FAILED):
        found.append(
            Attention(
                f"{failed} {'delivery' if failed == 1 else 'deliveries'} failed in the last 24 hours.",
                f"{deliveries}?status__exact=failed",
            )
        )
    if silent := [channel.name for key, channel in CHANNELS.items() if channel.addressed and not accounts.usable(key)]:
        found.append(
            Attention(
                f"No provider account for {', '.join(silent)}: messages there are held until there is one.",
                reverse("admin:notifications_provideraccount_changelist"),
            )
        )
    return found


def _count(number: int) -> str:
    return "One delivery is" if number == 1 else f"{number} deliveries are"
