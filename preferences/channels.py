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
    address: str = ""  # what one of its addresses is called: "You have no <address> on file."; "" = every user has it

    @property
    def addressed(self) -> bool:
        """Tell whether a user needs a contact point to be told things on it."""
        return bool(self.address)


_TABLE = (
    Channel("email", "E-mail", ("subject", "html", "text"), default=True, words="e-mail", address="e-mail address"),
    Channel("sms", "SMS", ("text",), default=False, words="SMS", address="phone number for SMS"),
    Channel(
        "push",
        "Push",
        ("title", "body"),
        default=True,
        words="push notifications",
        address="device for push notifications",
    ),
    Channel(
        "web_push",
        "Browser push",
        ("title", "body"),
        default=True,
        words="browser notifications",
        address="browser for notifications",
    ),
    Channel(
        "in_app",
        "In the app",
        ("title", "body", "link", "actions"),
        default=True,
        words="notifications in the app",
    ),
    Channel("webhook", "Webhook", ("json",), default=False, words="webhooks", address="webhook"),
    Channel("chat", "Chat", ("text",), default=False, words="chat messages", address="chat account"),
    Channel(
        "voice", "Voice call", ("script",), default=False, words="voice calls", address="phone number for voice calls"
    ),
)

CHANNELS: dict[str, Channel] = {channel.key: channel for channel in _TABLE}
CHOICES: list[tuple[str, str]] = [(channel.key, channel.name) for channel in _TABLE]
