"""What history says, in words for people who look after it."""

from notifications.models import Delivery, Notification

# Status → the colour of its pill, in the theme's names.
PILLS = {
    "Accepted": "info",
    "Scheduled": "warning",
    "Processing": "info",
    "Finding its audience": "info",
    "Running": "info",
    "Paused": "warning",
    "Completed": "success",
    "Failed": "danger",
    "Cancelled": "warning",
    "Expired": "warning",
    "Queued": "info",
    "Held": "warning",
    "Sending": "info",
    "Sent": "success",
    "Delivered": "success",
    "Opened": "success",
    "Clicked": "success",
    "Bounced": "danger",
    "Complained": "danger",
    "Skipped": "",
    "Unknown": "warning",
    "Did not get through": "warning",
    # Of provider accounts.
    "In use": "success",
    "Switched off": "warning",
    "Refused": "danger",
    "Keeps failing": "danger",
    "Trying again": "warning",
    "Slowed down": "warning",
}
_CLASSES = {"success": "crl-good", "danger": "crl-bad", "warning": "crl-waits", "info": "crl-busy", "": "crl-off"}

_REASONS = {
    "opted_out_category": "They turned this category off.",
    "opted_out_channel": "They turned this channel off.",
    "suppressed": "The address is blocked.",
    "no_contact_point": "They have no address on this channel.",
    "unconfirmed_address": "They have not confirmed the address.",
    "muted": "They paused it.",
    "digested": "It waits for their daily digest.",
    "frequency_cap": "It would have been more than they asked for.",
    "quiet_hours": "It waits for their quiet hours to end.",
    "erased": "The person was erased.",
    "account": "No provider account takes this channel: set one up, or switch one on.",
    "gone": "Its server says that it is gone.",
    "failing": "It had only failed, for days.",
    "by_caller": "The caller cancelled it.",
    "broadcast_paused": "Its broadcast is paused.",
    "opted_out": "They opted out before it left.",
}
_RULES = {
    "erased": "The person was erased",
    "suppressed": "The address is blocked",
    "disabled": "The address is out of use",
    "required": "The category always uses this channel",
    "muted": "Paused by the person",
    "category_channel": "The person’s choice for this category on this channel",
    "category": "The person’s choice for this category",
    "channel": "The person’s choice for this channel",
    "preferred": "The caller asked for this channel",
    "category_default": "The category’s default",
    "channel_default": "The channel’s default",
    "no_contact_point": "No address on this channel",
    "digest": "The person’s daily digest",
    "frequency_cap": "The person’s frequency cap",
    "unconfirmed_address": "The person has not confirmed the address",
    "asked_for": "It asks the person to confirm the address",
}
# Names that are not written like a word.
_PROVIDERS = {"apns": "APNs", "fcm": "FCM", "ses": "SES", "smtp": "SMTP", "sns": "SNS"}
_EVENTS = {
    "accepted": "Accepted",
    "planned": "Planned: the rules decided where it goes",
    "contact_point.disabled": "The address was taken out of use",
}


def provider(key: str) -> str:
    return _PROVIDERS.get(key, key.replace("_", " ").capitalize())


def status(row: Notification | Delivery) -> str:
    return str(row.get_status_display())


def pill(word: str) -> str:
    """Return the class of a status word's pill."""
    return _CLASSES[PILLS.get(word, "")]


def reason(code: str) -> str:
    return _REASONS.get(code, code.replace("_", " ").capitalize() + "." if code else "")


def rule(key: str) -> str:
    return _RULES.get(key, key.replace("_", " ").capitalize())


def event(kind: str, detail: str = "") -> str:
    """Return what happened. A delivery that was tried and did not get through is queued again, and says why."""
    if kind == "queued" and detail and detail not in _REASONS:
        return "Did not get through"
    return _EVENTS.get(kind, kind.replace("_", " ").capitalize())


def explain(detail: str) -> str:
    """Return an event's detail: a reason's code in words, anything else as it stands."""
    return reason(detail) if detail in _REASONS else detail
