"""Leave half of each page of the queue's tables free: a row's next version then stays beside it.

PostgreSQL updates such a row in place (HOT), without an entry into each of its indexes. New partitions are made like
their default one: see project.foundation.partitions.
"""

from typing import Any

from django.db import migrations

_TABLES = ("notifications_notification", "notifications_delivery", "notifications_attempt")


def _alter(schema_editor: Any, action: str) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table])
            for (partition,) in cursor.fetchall():
                schema_editor.execute(f"ALTER TABLE {partition} {action}")


def leave_room(apps: Any, schema_editor: Any) -> None:
    _alter(schema_editor, "SET (fillfactor = 50)")


def fill(apps: Any, schema_editor: Any) -> None:
    _alter(schema_editor, "RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0006_account_routing")]

    operations = [migrations.RunPython(leave_room, fill)]
