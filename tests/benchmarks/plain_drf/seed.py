"""Make the tables, a person, a type and a key for either side; print the keys as JSON."""

import hashlib
import json
import secrets

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from notifications.access import keys  # noqa: E402
from notifications.models import Caller  # noqa: E402
from preferences.models import Category, User  # noqa: E402
from templates_app.models import Type  # noqa: E402
from tests.benchmarks.plain_drf.models import Client, Key, Message  # noqa: E402

SCHEMA = {
    "type": "object",
    "required": ["order_id", "customer_name"],
    "properties": {"order_id": {"type": "string", "maxLength": 20}, "customer_name": {"type": "string"}},
}


def seed() -> dict[str, str]:
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for model in (Client, Key, Message):
            editor.create_model(model)
    category = Category.objects.create(key="orders", name="Orders")
    Type.objects.create(key="ORDER_CONFIRMATION", name="Order confirmed", category=category, schema=SCHEMA)
    User.objects.create(user_id="ada", name="Ada")
    ours = keys.issue(Caller.objects.create(key="shop", name="Shop"), "live", ["send"], actor="benchmark")[1]
    secret = secrets.token_urlsafe(32)
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    Key.objects.create(prefix="benchkey", secret_hash=hashed, client=Client.objects.create(name="shop"))
    return {"ours": ours, "theirs": f"crl_live_benchkey_{secret}"}


if __name__ == "__main__":
    print(json.dumps(seed()))
