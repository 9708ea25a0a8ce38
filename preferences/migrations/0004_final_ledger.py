"""The database itself refuses to change or to delete a line of the consent ledger, where it can."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLE = "preferences_consentrecord"


def refuse_changes(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            """CREATE FUNCTION consent_ledger_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN
                 RAISE EXCEPTION 'The consent ledger is only added to.' USING ERRCODE = 'restrict_violation';
               END $$"""
        )
        schema_editor.execute(
            f"CREATE TRIGGER consent_ledger_is_final BEFORE UPDATE OR DELETE ON {TABLE} "
            "FOR EACH ROW EXECUTE FUNCTION consent_ledger_is_final()"
        )
    else:
        schema_editor.execute(
            f"CREATE TRIGGER consent_ledger_is_final BEFORE UPDATE ON {TABLE} "
            "BEGIN SELECT RAISE(ABORT, 'The consent ledger is only added to.'); END"
        )


def allow_changes(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER consent_ledger_is_final ON {TABLE}")
        schema_editor.execute("DROP FUNCTION consent_ledger_is_final()")
    else:
        schema_editor.execute("DROP TRIGGER consent_ledger_is_final")


class Migration(migrations.Migration):
    dependencies = [("preferences", "0003_links")]

    operations = [migrations.RunPython(refuse_changes, allow_changes)]
