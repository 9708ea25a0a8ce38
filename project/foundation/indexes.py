"""Indexes on tables that are in use: made without stopping whoever writes."""

from typing import Any

from django.db import migrations


class AddIndexOnline(migrations.AddIndex):
    """AddIndex that lets PostgreSQL's writers go on. Its migration says `atomic = False`.

    django.contrib.postgres has the same, which refuses to run on SQLite, and PostgreSQL refuses it for history tables:
    theirs is made partition by partition, and then named as the whole table's.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if partitions := _partitions(schema_editor, model._meta.db_table):
            _add_to_each(schema_editor, model, self.index, partitions)
        else:
            _drop_broken(schema_editor, self.index.name)
            schema_editor.add_index(model, self.index, **_online(schema_editor))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            online = {} if _partitions(schema_editor, model._meta.db_table) else _online(schema_editor)
            schema_editor.remove_index(model, self.index, **online)


def _add_to_each(schema_editor: Any, model: Any, index: Any, partitions: list[str]) -> None:
    """Repeat-safe: a migration that was broken off is run again."""
    whole, table = str(index.create_sql(model, schema_editor)), model._meta.db_table
    quoted = schema_editor.quote_name
    before, _, rest = whole.partition(f" ON {quoted(table)} ")
    schema_editor.execute(f"{before.replace('INDEX', 'INDEX IF NOT EXISTS', 1)} ON ONLY {quoted(table)} {rest}")
    for partition in partitions:
        own = f"{partition}_{index.name}"[:63]
        _drop_broken(schema_editor, own)
        before = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {quoted(own)}"
        schema_editor.execute(f"{before} ON {quoted(partition)} {rest}")
        schema_editor.execute(f"ALTER INDEX {quoted(index.name)} ATTACH PARTITION {quoted(own)}")


def _drop_broken(schema_editor: Any, name: str) -> None:
    """Drop what a migration that was broken off left: an index that PostgreSQL keeps up to date and never uses."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [name])
        broken = cursor.fetchone() is not None
    if broken:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(name)}")


def _partitions(schema_editor: Any, table: str) -> list[str]:
    if schema_editor.connection.vendor != "postgresql":
        return []
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


def _online(schema_editor: Any) -> dict[str, bool]:
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
