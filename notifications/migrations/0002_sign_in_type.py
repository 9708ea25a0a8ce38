from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def make_sign_in_type(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The sign-in link is a notification like any other, so its type must be there before the first one."""
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
        key="ACCOUNT_SIGN_IN", defaults={"name": "Sign-in link", "category": account, "priority": "HIGH"}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("preferences", "0001_initial"),
        ("templates_app", "0001_initial"),
        ("notifications", "0001_initial"),
    ]

    operations = [migrations.RunPython(make_sign_in_type, migrations.RunPython.noop)]
