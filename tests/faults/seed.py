"""Fills the database that tests copy: people, types, an account at the mail stand-in, a key. Prints the key."""

import json

import django

django.setup()

from notifications.access import keys  # noqa: E402
from notifications.access.scopes import SCOPES  # noqa: E402
from notifications.models import Caller, ProviderAccount  # noqa: E402
from preferences import users  # noqa: E402
from preferences.models import Category  # noqa: E402
from templates_app.models import Type  # noqa: E402

PEOPLE = 200


def main() -> None:
    given = [
        (
            f"p{n}",
            users.UserFields(name=f"Person {n}", locale="en", email=f"p{n}@example.com", phone=f"+49301234{n:04}"),
        )
        for n in range(PEOPLE)
    ]
    users.upsert_many(given)
    orders = Category.objects.create(key="orders", name="Orders")
    offers = Category.objects.create(key="offers", name="Offers", kind="marketing", unknown_outcome="hold")
    for key, category, priority in (("ORDER", orders, "HIGH"), ("NEWS", orders, "LOW"), ("OFFER", offers, "MEDIUM")):
        Type.objects.create(key=key, name=key.title(), category=category, priority=priority)
    ProviderAccount.objects.create(
        name="mail",
        provider="smtp",
        channel="email",
        options={
            "host": "127.0.0.1",
            "port": "env:SINK_PORT",
            "security": "none",
            "connections": 4,
            "from": "Shop <hello@example.com>",
        },
    )
    ProviderAccount.objects.create(
        name="http", provider="stand_in", channel="sms", options={"base_url": "env:HTTP_SINK_URL"}
    )
    caller = Caller.objects.create(key="shop", name="Shop")
    _, text = keys.issue(caller, "live", SCOPES, actor="system", name="faults")
    print(json.dumps({"api_key": text}))


if __name__ == "__main__":
    main()
