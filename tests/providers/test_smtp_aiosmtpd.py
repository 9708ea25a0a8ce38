"""SMTP against aiosmtpd, a server that was not written for this client."""

import asyncio
import email
import socket
from email import policy

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from notifications.providers.base import Message
from notifications.providers.smtp import SMTP, SMTPOptions
from project.foundation.ids import new_id


class Mailbox(MessageHandler):
    def __init__(self):
        super().__init__()
        self.mails = []

    def handle_message(self, message):
        self.mails.append(email.message_from_bytes(message.as_bytes(), policy=policy.default))


def test_fifty_mails_arrive_whole():
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    messages = [
        Message(
            delivery_id=new_id(),
            channel="email",
            to=f"person{number}@example.com",
            parts={"subject": f"Grüße {number}", "text": "Schöne Grüße\n.", "html": "<p>Schöne Grüße</p>"},
        )
        for number in range(50)
    ]

    async def run():
        options = SMTPOptions(host="127.0.0.1", port=port, security="none", from_="Läden <shop@example.com>")
        provider = SMTP(options, timeout=20)
        outcomes = await provider.send_many(messages)
        await provider.close()
        return outcomes

    try:
        outcomes = asyncio.run(run())
    finally:
        controller.stop()

    assert {outcome.kind for outcome in outcomes} == {"accepted"}
    assert len(mailbox.mails) == 50
    by_recipient = {mail["To"]: mail for mail in mailbox.mails}
    mail = by_recipient["person7@example.com"]
    assert mail["Subject"] == "Grüße 7"
    assert mail["From"] == "Läden <shop@example.com>"
    assert mail.get_body(("plain",)).get_content().splitlines() == ["Schöne Grüße", "."]
    assert mail.get_body(("html",)).get_content().strip() == "<p>Schöne Grüße</p>"
