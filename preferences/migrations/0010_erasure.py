"""Erasures are seen through to their end, and the ledger of who was erased may lose who they were."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import project.foundation.encryption

LEDGER, USER = "preferences_consentrecord", "preferences_user"
REFUSAL = "The consent ledger is only added to."
_SAME = " AND ".join(
    f"NEW.{name} = OLD.{name}" for name in ("id", "user_id", "subject", "old", "new", "source", "wording")
)
# What an erased person's line may become: the choice stays, who made it from where goes.
FORGETTING = (
    f"{_SAME} AND NEW.ip IS NULL AND NEW.agent = '' AND EXISTS (SELECT 1 FROM {USER} u WHERE u.id = OLD.user_id"
    " AND u.erased_at IS NOT NULL AND NEW.actor IN (OLD.actor, 'user:' || u.user_id))"
)
_ERASED = f"EXISTS (SELECT 1 FROM {USER} u WHERE u.id = OLD.user_id AND u.erased_at IS NOT NULL)"


def forgive_erasure(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _final(schema_editor, change=FORGETTING, deletion=_ERASED)


def forgive_nothing(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _final(schema_editor, change="FALSE", deletion="FALSE")


def drop(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER IF EXISTS consent_ledger_is_final ON {LEDGER}")
    else:
        schema_editor.execute("DROP TRIGGER IF EXISTS consent_ledger_is_final")


def _final(schema_editor: BaseDatabaseSchemaEditor, *, change: str, deletion: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"""CREATE OR REPLACE FUNCTION consent_ledger_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN
                 IF TG_OP = 'DELETE' THEN
                   IF {deletion} THEN RETURN OLD; END IF;
                 ELSIF {change} THEN
                   RETURN NEW;
                 END IF;
                 RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
               END $$"""
        )
        schema_editor.execute(
            f"CREATE TRIGGER consent_ledger_is_final BEFORE UPDATE OR DELETE ON {LEDGER} "
            "FOR EACH ROW EXECUTE FUNCTION consent_ledger_is_final()"
        )
    else:
        schema_editor.execute(
            f"CREATE TRIGGER consent_ledger_is_final BEFORE UPDATE ON {LEDGER} WHEN NOT ({change}) "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )


class Migration(migrations.Migration):
    dependencies = [("preferences", "0009_imports")]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("looks", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(db_index=True)),
            ],
        ),
        # SQLite makes the table anew for this, and a trigger goes with the old one.
        migrations.RunPython(drop, forgive_nothing),
        migrations.AlterField(
            model_name="consentrecord",
            name="ip",
            field=project.foundation.encryption.EncryptedTextField(blank=True, default="", null=True),
        ),
        migrations.RunPython(forgive_erasure, drop),
    ]
