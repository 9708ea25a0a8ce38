"""A person's own archive: what was sent to them, on which channels, and why, in words for them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import addressee, history
from notifications.models import Delivery, Notification
from notifications.models.notification import Mode
from preferences.models import User
from preferences.pages import wording
from project.foundation import clock, ids

KEPT = timedelta(days=90)
PAGE = 25
_STATES = {
    "scheduled": gettext_lazy("Waiting"),
    "queued": gettext_lazy("On its way"),
    "held": gettext_lazy("Waiting"),
    "sending": gettext_lazy("On its way"),
    "sent": gettext_lazy("Sent"),
    "delivered": gettext_lazy("Delivered"),
    "opened": gettext_lazy("Opened"),
    "clicked": gettext_lazy("Opened"),
    "bounced": gettext_lazy("Not delivered"),
    "complained": gettext_lazy("Reported as spam"),
    "failed": gettext_lazy("Not delivered"),
    "skipped": gettext_lazy("Not sent"),
    "cancelled": gettext_lazy("Cancelled"),
    "expired": gettext_lazy("Too late to send"),
    "unknown": gettext_lazy("Perhaps sent"),
}
_REACHED = {"sent", "delivered", "opened", "clicked"}
# By the reason of a delivery that did not go, or not yet.
_WHY_NOT = {
    "opted_out_category": gettext_lazy("You turned it off."),
    "opted_out_channel": gettext_lazy("You turned it off."),
    "opted_out": gettext_lazy("You turned it off."),
    "muted": gettext_lazy("You had paused it."),
    "no_contact_point": gettext_lazy("You have no address for it."),
    "suppressed": gettext_lazy("The address is blocked."),
    "quiet_hours": gettext_lazy("It waits for your quiet hours to end."),
    "digested": gettext_lazy("It came in your daily digest, or will."),
    "unconfirmed_address": gettext_lazy("You have not confirmed the address yet."),
    "read": gettext_lazy("You have seen it already."),
    "frequency_cap": gettext_lazy("You had been told often enough."),
    "throttled": gettext_lazy("You had been told often enough."),
    "not_needed": gettext_lazy("It was not needed on this channel."),
}
# By the rule that let it go: see preferences.decisions.
_WHY = {
    "required": gettext_lazy("It is always on."),
    "category_channel": gettext_lazy("You turned it on."),
    "category": gettext_lazy("You turned it on."),
    "channel": gettext_lazy("You turned it on."),
    "preferred": gettext_lazy("The sender chose this channel."),
    "category_default": gettext_lazy("It is on unless you turn it off."),
    "channel_default": gettext_lazy("It is on unless you turn it off."),
}

_DEFAULTS = {"category_default", "channel_default"}


@dataclass(frozen=True)
class Way:
    """One channel of one message."""

    channel: str
    icon: str
    state: str
    why: str
    good: bool


@dataclass(frozen=True)
class Entry:
    at: datetime
    just_now: bool
    name: str
    title: str
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Page:
    entries: list[Entry]
    older: UUID | None  # `before` of the next page


def page(user: User, *, before: UUID | None = None) -> Page:
    """Return what was sent to a person in the last 90 days, newest first, PAGE at a time. Two queries and the clock.

    `before`: the id of the last one on the page before. Test mode sends nothing, and is not told. Nor are questions to
    addresses: what became of one to somebody else's address, such as that it is blocked, is for its owner to know.
    """
    now = clock.now()
    rows = Notification.objects.filter(user=user, mode=Mode.LIVE, id__gte=ids.first_id_at(now - KEPT))
    rows = rows.exclude(type__key=addressee.CONFIRMATION)
    rows = rows.filter(id__lt=before) if before else rows
    found = list(rows.select_related("type", "broadcast", "shared_decisions").order_by("-id")[: PAGE + 1])
    shown = found[:PAGE]
    deliveries = _deliveries([notification.id for notification in shown])
    entries = [_entry(notification, deliveries[notification.id], now) for notification in shown]
    return Page(entries, shown[-1].id if len(found) > PAGE else None)


def _deliveries(of: list[UUID]) -> dict[UUID, list[Delivery]]:
    found: dict[UUID, list[Delivery]] = defaultdict(list)
    if of:
        low, high = ids.time_bounds(of)
        rows = Delivery.objects.filter(notification_id__in=of, id__gte=low, id__lt=high).order_by("step", "id")
        for delivery in rows:
            found[delivery.notification_id].append(delivery)
    return found


def _entry(notification: Notification, kept: list[Delivery], now: datetime) -> Entry:
    # Of several addresses on a channel, one that may be used tells why it went.
    decisions = sorted(notification.decided or [], key=lambda decision: bool(decision["allowed"]))
    rules = {decision["channel"]: decision["rule"] for decision in decisions}
    # What nobody asked for and nobody refused is no news: neither chosen nor on by default.
    skipped = [each for each in history.skips(notification, kept) if rules.get(each.channel) not in _DEFAULTS]
    at = ids.created_at(notification.id)
    return Entry(
        at=at,
        just_now=now - at < timedelta(minutes=1),
        name=notification.type.name,
        title=notification.content.get("title") or "",
        ways=tuple(_ways([*kept, *skipped], rules)),
    )


def _ways(deliveries: list[Delivery], rules: dict[str, str]) -> Iterator[Way]:
    """Yield the channels that it went by or might have; those that the person has no address for say nothing new."""
    for delivery in deliveries:
        if delivery.status == Delivery.Status.SKIPPED and delivery.reason == "no_contact_point":
            continue
        yield Way(
            channel=wording.channel_name(delivery.channel),
            icon=wording.ICONS[delivery.channel],
            state=str(_STATES[delivery.status]),
            why=_why(delivery, rules),
            good=delivery.status in _REACHED,
        )


def _why(delivery: Delivery, rules: dict[str, str]) -> str:
    if delivery.status == Delivery.Status.SKIPPED and rules.get(delivery.channel) in _DEFAULTS:
        return _("It is off unless you turn it on.")
    if delivery.reason:
        return str(_WHY_NOT.get(delivery.reason, ""))
    if delivery.status in (Delivery.Status.FAILED, Delivery.Status.BOUNCED):
        return _("The service did not take it.")
    return str(_WHY.get(rules.get(delivery.channel, ""), ""))
