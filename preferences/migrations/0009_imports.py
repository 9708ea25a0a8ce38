import django.db.models.deletion
from django.db import migrations, models

import project.foundation.encryption
import project.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("preferences", "0008_who_suppressed"),
    ]

    operations = [
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("people", "People"), ("suppressions", "Suppressions")], max_length=20),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("uploading", "Uploading"),
                            ("checking", "Checking"),
                            ("checked", "Checked"),
                            ("running", "Running"),
                            ("completed", "Completed"),
                            ("stopped", "Stopped"),
                            ("refused", "Refused"),
                        ],
                        default="uploading",
                        max_length=20,
                    ),
                ),
                ("file_name", project.foundation.encryption.EncryptedTextField(blank=True, default="")),
                ("characters", models.BigIntegerField(default=0)),
                ("clears", models.BooleanField(default=False)),
                ("actor", models.CharField(max_length=255)),
                ("problem", models.CharField(blank=True, default="", max_length=500)),
                ("header", models.JSONField(blank=True, default=dict)),
                ("position", models.BigIntegerField(default=0)),
                ("line", models.PositiveIntegerField(default=1)),
                ("counts", models.JSONField(blank=True, default=dict)),
                ("checked", models.JSONField(blank=True, default=dict)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("lease", models.UUIDField(blank=True, null=True)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="import_due")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportFault",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.PositiveIntegerField()),
                ("column", models.CharField(blank=True, default="", max_length=255)),
                ("code", models.CharField(max_length=40)),
                ("message", models.CharField(max_length=500)),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="faults", to="preferences.import"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ImportChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("text", project.foundation.encryption.EncryptedTextField()),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="preferences.import"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("of", "number"), name="one_chunk_per_number")],
            },
        ),
    ]
