"""In-app items that were not made when their notification was planned: dead letters that are sent again.

They go the way of all deliveries, by a lease, with consent and expiry asked again and the try on record, but through no
provider: the commit that records the try puts the item into the inbox.
"""

import json
from collections.abc import Sequence
from functools import partial

from django.conf import settings
from django.db import transaction

from notifications import clearance, gathering, leases, tracking
from notifications.accounts import Account
from notifications.clearance import Ready, Sorted
from notifications.inbox import feed, hub
from notifications.models import Attempt, Delivery, Mode
from notifications.routing import Allotment, Route, Share
from notifications.tracking import Change, Status
from project.foundation import bulk, clock
from templates_app.models import Type

_INBOX = Account(id=None, name="inbox", provider="in_app", channel="in_app")


def deliver_due(*, lane: int | None = None) -> int:
    """Put one sub-batch of due in-app deliveries into their inboxes; return how many were taken up."""
    claim = leases.claim(Delivery, limit=settings.FLUSH_SIZE, channel="in_app", lane=lane, mode=Mode.LIVE)
    if claim.rows:
        route = Route((Share(_INBOX, settings.FLUSH_SIZE),), frozenset())
        _store(clearance.sort(claim.rows, Allotment(route), claim.now), claim)
    return len(claim.rows)


@transaction.atomic
def _store(found: Sorted, claim: leases.Claim[Delivery]) -> None:
    tracking.lock_notifications(found.deliveries)
    held = leases.still_held(Delivery, [delivery.id for delivery in found.deliveries], claim.token)
    ready = [item for item in found.ready if item.delivery.id in held]
    now = clock.now()
    for item in ready:
        item.attempt.finished_at, item.attempt.outcome = now, Attempt.Outcome.ACCEPTED
    bulk.insert([item.attempt for item in ready])
    tracking.begin([item.delivery for item in ready], lease=claim.token, until=claim.extended())
    frames = feed.add_items(_items(ready))
    done = [Change(item.delivery, Status.DELIVERED) for item in ready]
    tracking.record([*(change for change in found.changes if change.delivery.id in held), *done], now=now)
    for waiting in found.later:
        leases.put_back([waiting.delivery], claim.token, due_at=claim.now + waiting.wait)
    transaction.on_commit(partial(hub.publish, frames))


def _items(ready: Sequence[Ready]) -> list[feed.NewItem]:
    types = gathering.types(item.delivery.type_id for item in ready) if ready else {}
    return [_item(item, types[item.delivery.type_id]) for item in ready]


def _item(item: Ready, type_: Type) -> feed.NewItem:
    return feed.NewItem(
        id=item.delivery.id,
        user_pk=item.delivery.user_id,
        notification_id=item.delivery.notification_id,
        type_key=type_.key,
        category_id=type_.category_id,
        category_key=type_.category.key,
        priority=item.message.about.priority,
        content=_content(item),
        why=feed.why(type_),
        created_at=item.attempt.started_at,
    )


def _content(item: Ready) -> dict[str, object]:
    parts = item.message.parts
    actions = parts.get("actions", "").strip()
    return {
        "title": parts.get("title", ""),
        "body": parts.get("body", ""),
        "link": parts.get("link", ""),
        "actions": json.loads(actions) if actions else [],
    }
