from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def make_confirmation_type(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The question to a new address is a notification like any other, of the category that sign-in links are of."""
    database = schema_editor.connection.alias
    account, _ = (
        apps.get_model("preferences", "Category")
        .objects.using(database)
        .get_or_create(
            key="account",
            defaults={
                "name": "Account",
                "description": "Sign-in links, new passwords and changes to your account.",
                "kind": "system",
                "required_channels": ["email"],
                "urgent": True,
            },
        )
    )
    apps.get_model("templates_app", "Type").objects.using(database).get_or_create(
        key="ADDRESS_CONFIRMATION", defaults={"name": "Confirm an address", "category": account, "priority": "HIGH"}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("preferences", "0006_confirmed_addresses"),
        ("templates_app", "0001_initial"),
        ("notifications", "0010_digest_type"),
    ]

    operations = [migrations.RunPython(make_confirmation_type, migrations.RunPython.noop)]
