"""The sentences of the settings page. Whole sentences per case, so that every language can say them its own way."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

# The version of these texts that a ledger line refers to: raise it when a sentence's meaning changes.
VERSION = "settings-1"

ICONS = {
    "email": "mail",
    "sms": "message-square",
    "push": "smartphone",
    "web_push": "globe",
    "in_app": "bell",
    "webhook": "webhook",
    "chat": "message-circle",
    "voice": "phone",
}
_NAMES = {
    "email": gettext_lazy("E-mail"),
    "sms": gettext_lazy("SMS"),
    "push": gettext_lazy("Push"),
    "web_push": gettext_lazy("Browser"),
    "in_app": gettext_lazy("In the app"),
    "webhook": gettext_lazy("Webhook"),
    "chat": gettext_lazy("Chat"),
    "voice": gettext_lazy("Phone call"),
}
_BY = {
    "email": gettext_lazy("by e-mail"),
    "sms": gettext_lazy("by SMS"),
    "push": gettext_lazy("by push"),
    "web_push": gettext_lazy("in your browser"),
    "in_app": gettext_lazy("in the app"),
    "webhook": gettext_lazy("by webhook"),
    "chat": gettext_lazy("by chat"),
    "voice": gettext_lazy("by phone call"),
}
_NO_ADDRESS = {
    "email": gettext_lazy("No e-mail address on file"),
    "sms": gettext_lazy("No phone number on file"),
    "push": gettext_lazy("No device signed in"),
}


def channel_name(channel: str) -> str:
    return str(_NAMES[channel])


def by(channel: str) -> str:
    """Return how something comes on a channel, to follow a category's name: "by e-mail"."""
    return str(_BY[channel])


def no_address(channel: str) -> str:
    return str(_NO_ADDRESS.get(channel) or _("No address on file"))


def blocked(channel: str) -> str:
    """Return why none of the addresses a person has on a channel can be used."""
    return _("Your e-mail address is blocked") if channel == "email" else _("Your address is blocked")


def saved(names: list[tuple[str, str, bool]]) -> str:
    """Return what changed, for (category's name or "", channel, on)."""
    if len(names) != 1:
        return ngettext("%(count)d setting saved.", "%(count)d settings saved.", len(names)) % {"count": len(names)}
    category, channel, on = names[0]
    words = {"category": category, "by": by(channel)}
    if not category:
        if on:
            return _("Saved. You will get notifications %(by)s.") % words
        return _("Saved. Nothing will come %(by)s any more, except what is always on or chosen below.") % words
    if on:
        return _("Saved. You will get %(category)s %(by)s.") % words
    return _("Saved. You won’t get %(category)s %(by)s any more.") % words


def undone() -> str:
    return _("Undone. Everything is as it was.")
