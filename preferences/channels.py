"""The channel table: plain data that every room reads. A new channel is a new line here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Channel:
    """One medium."""

    key: str
    name: str  # as people read it
    parts: tuple[str, ...]  # what a message on it is made of, most important first
    default: bool  # rule 9: may it be used when nobody said anything?
    words: str  # inside a sentence: "You turned off <words>."
    addressed: bool = True  # False: every user has it, without a contact point


_TABLE = (
    Channel("email", "E-mail", ("subject", "html", "text"), default=True, words="e-mail"),
    Channel("sms", "SMS", ("text",), default=False, words="SMS"),
    Channel("push", "Push", ("title", "body"), default=True, words="push notifications"),
    Channel("web_push", "Browser push", ("title", "body"), default=True, words="browser notifications"),
    Channel(
        "in_app",
        "In the app",
        ("title", "body", "link", "actions"),
        default=True,
        words="notifications in the app",
        addressed=False,
    ),
    Channel("webhook", "Webhook", ("json",), default=False, words="webhooks"),
    Channel("chat", "Chat", ("text",), default=False, words="chat messages"),
    Channel("voice", "Voice call", ("script",), default=False, words="voice calls"),
)

CHANNELS: dict[str, Channel] = {channel.key: channel for channel in _TABLE}
CHOICES: list[tuple[str, str]] = [(channel.key, channel.name) for channel in _TABLE]
