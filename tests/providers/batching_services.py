"""E-mail services that take many mails in one call, for tests: what is sent to them, and how they say they took it."""

import asyncio
from uuid import UUID

from notifications.providers import options
from notifications.providers.anymail import Anymail
from notifications.providers.base import Message
from tests.providers.http_server import Says, Service

SETTINGS = {
    "postmark": {"server_token": "t0k3n"},
    "resend": {"api_key": "re_k3y"},
    "mailjet": {"api_key": "k3y", "secret_key": "s3cret"},
    "mailtrap": {"api_token": "t0k3n"},
}
PATHS = {
    "postmark": "/email/batch",
    "resend": "/emails/batch",
    "mailjet": "/send",
    "mailtrap": "/batch",
}


def message(number: int, **more) -> Message:
    return Message(
        UUID(int=number),
        "email",
        f"receiver{number}@example.com",
        {"subject": f"Hello {number}", "text": f"Yours: /u/{number}/", "html": ""},
        headers={"List-Unsubscribe": f"<https://example.com/u/{number}/>"},
        **more,
    )


def send(esp, messages, *says, timeout=5.0, times=1, **settings):
    async def run():
        async with Service(*says) as service:
            stored = {"esp": esp, "settings": SETTINGS[esp] | settings, "from": "Shop <hello@example.com>"}
            provider = Anymail(
                options.resolve(Anymail.Options, stored | {"base_url": f"{service.url}/"}), timeout=timeout
            )
            for _ in range(times):
                outcomes = await provider.send_many(messages)
            await provider.close()
            return outcomes, service.asked

    return asyncio.run(run())


def of_all(esp, asked):
    """Return the mails of a request."""
    if esp == "mailjet":
        return asked.json["Messages"]
    return asked.json["requests"] if esp == "mailtrap" else asked.json


def taken(esp):
    """Return what answers a call by taking all that it holds, each under an id of its own."""

    def says(asked):
        mails = of_all(esp, asked)
        numbers = range(1, len(mails) + 1)
        return Says(
            200,
            {
                "postmark": [{"ErrorCode": 0, "Message": "OK", "MessageID": f"id-{number}"} for number in numbers],
                "resend": {"data": [{"id": f"id-{number}"} for number in numbers]},
                "mailjet": {
                    "Messages": [{"Status": "success", "To": [{"MessageID": f"id-{number}"}]} for number in numbers]
                },
                "mailtrap": {
                    "success": True,
                    "responses": [{"success": True, "message_ids": [f"id-{number}"]} for number in numbers],
                },
            }[esp],
        )

    return says
