import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import project.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("preferences", "0005_frequency_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="category",
            name="double_opt_in",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="contactpoint",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="AddressConfirmation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("address_index", models.BinaryField(max_length=32)),
                ("code_hash", models.BinaryField(blank=True, max_length=32, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "contact_point",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="confirmations",
                        to="preferences.contactpoint",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["address_index", "created_at"], name="confirmations_by_address")],
            },
        ),
    ]
