"""What a request would do: the very acts of a real one, in a transaction that is rolled back. Nobody is told."""

from typing import Any

from notifications import audience, broadcasts, caps, messages, planning
from notifications.models import Delivery, Notification
from notifications.plans import Plan
from notifications.tracking import Status
from project.foundation import clock
from templates_app import sms
from templates_app.rendering import RenderError

_GOING = {Status.QUEUED, Status.SCHEDULED, Status.DELIVERED}


def of(notification: Notification) -> dict[str, Any]:
    """Return {"decisions", "content", "cost"} of a notification, in a transaction that the caller rolls back.

    `content`: the parts by channel, or {"error"} where they cannot be rendered. `cost`: how many messages each channel
    would send, and of how many segments the text messages would be.
    """
    now = clock.now()
    plan = planning.preview(notification, now)
    caps.apply([plan], token=None, now=now)
    going = [delivery for delivery in plan.deliveries if delivery.status in _GOING]
    content = {delivery.channel: _parts(plan, delivery) for delivery in reversed(going)}
    return {
        "decisions": plan.decided,
        "content": dict(reversed(content.items())),
        "cost": {
            "messages": {channel: sum(each.channel == channel for each in going) for channel in reversed(content)},
            "sms_segments": sum(_segments(content[each.channel]) for each in going if each.channel == "sms"),
        },
    }


def of_broadcast(request: broadcasts.Request, *, actor: str) -> dict[str, Any]:
    """Return {"total", "unknown_user_ids", "user_id"} and what `of` says for that person, the first of the audience.

    In a transaction that the caller rolls back. Raises InvalidRequest as the real one does.
    """
    accepted = broadcasts.accept(request, actor=actor)
    broadcast = accepted.broadcast
    if broadcast.total is None:  # nobody is written down yet
        people = audience.people(broadcast.audience).filter(erased_at=None)
        total, first = people.count(), list(people.order_by("pk").values_list("pk", flat=True)[:1])
    else:
        total, first = broadcast.total, audience.after(broadcast.pk, 0, 1)
    found = {"total": total, "unknown_user_ids": accepted.unknown_user_ids, "user_id": None}
    if not first:
        return found | {"decisions": [], "content": {}, "cost": {"messages": {}, "sms_segments": 0}}
    told = Notification(
        user_id=first[0], type=broadcast.type, mode=broadcast.mode, broadcast=broadcast, priority=broadcast.priority
    )
    return found | {"user_id": told.user.user_id} | of(told)


def _parts(plan: Plan, delivery: Delivery) -> dict[str, Any]:
    notification, person, type_ = plan.notification, plan.person, plan.type
    assert person is not None and type_ is not None
    try:
        if delivery.channel == "in_app":
            return messages.inbox_content(notification, person, type_, plan.version_id)
        point = next((point for point in person.contact_points if point.id == delivery.contact_point_id), None)
        return dict(messages.compose(delivery, notification, person, type_, point).parts)
    except RenderError as error:
        return {"error": str(error)}


def _segments(parts: dict[str, Any]) -> int:
    return sms.size(parts["text"]).segments if "text" in parts else 0
