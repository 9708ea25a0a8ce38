from django.db import migrations, models

import project.foundation.encryption
import project.foundation.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("actor", models.CharField(max_length=255)),
                ("action", models.CharField(max_length=100)),
                ("target", models.CharField(max_length=255)),
                ("detail", models.JSONField(blank=True, default=dict)),
                ("ip", project.foundation.encryption.EncryptedTextField(blank=True, default="")),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["target", "-id"], name="audit_by_target")],
            },
        ),
    ]
