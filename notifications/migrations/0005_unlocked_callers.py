import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_troubled_addresses")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="caller",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="notifications.caller",
            ),
        )
        for name in ("idempotencyrecord", "callernotificationid")
    ]
