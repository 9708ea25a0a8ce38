from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def make_digest_type(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The digest is a notification like any other, of a category that people can turn off."""
    database = schema_editor.connection.alias
    digests, _ = (
        apps.get_model("preferences", "Category")
        .objects.using(database)
        .get_or_create(
            key="digests",
            defaults={
                "name": "Daily digest",
                "description": "What you asked to get together once a day, and what your limits held back.",
                "kind": "system",
            },
        )
    )
    apps.get_model("templates_app", "Type").objects.using(database).get_or_create(
        key="DAILY_DIGEST", defaults={"name": "Daily digest", "category": digests, "priority": "MEDIUM"}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("preferences", "0005_frequency_counts"),
        ("templates_app", "0001_initial"),
        ("notifications", "0009_digests"),
    ]

    operations = [migrations.RunPython(make_digest_type, migrations.RunPython.noop)]
