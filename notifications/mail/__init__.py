"""The mail itself: RFC 5322 bytes of a message, with headers that nobody can break out of.

`skeletons` fills in what was compiled once, in microseconds; `plain` is Django's own way, for whatever they do not
cover. Both make mails that say the same.
"""

from email.errors import MessageError
from typing import NamedTuple

from django.conf import settings

from notifications.mail import addresses, plain, skeletons
from notifications.mail.addresses import CannotBeMailed, address, check_return_path, check_sender
from notifications.mail.attached import part
from notifications.mail.headers import headers, message_id, one_line
from notifications.providers.base import Message

__all__ = [
    "CannotBeMailed",
    "Mail",
    "address",
    "build",
    "check_return_path",
    "check_sender",
    "headers",
    "message_id",
    "part",
]


class Mail(NamedTuple):
    """One mail, ready to be handed over."""

    sender: str  # of the envelope
    recipient: str
    message_id: str
    content: bytes  # CRLF line ends, not yet dot-stuffed
    utf8: bool  # the recipient's address needs SMTPUTF8 (RFC 6531)


def build(message: Message, *, sender: str, return_path: str = "") -> Mail:
    """Return the mail of a message. `sender` is the From header: an address, with a name or without; "" = the usual.

    `return_path` is where the mail servers report to; "" = the sender's address. Raises CannotBeMailed.
    """
    recipient = address(message.to)
    sender = sender or settings.DEFAULT_FROM_EMAIL
    identity = (message.message_id and one_line(message.message_id)) or message_id(message.delivery_id)
    try:
        content = skeletons.content(message, identity, sender=sender, recipient=recipient)
        if content is None:
            content = plain.content(message, sender=sender, recipient=recipient)
    except (ValueError, MessageError) as error:
        raise CannotBeMailed("The mail cannot be built from this content.") from error
    return Mail(return_path or addresses.bare(sender), recipient, identity, content, utf8=not recipient.isascii())
