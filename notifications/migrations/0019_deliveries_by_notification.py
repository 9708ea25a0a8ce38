"""A notification's deliveries are found by one index, whatever else was made in the same millisecond."""

import django.db.models.deletion
from django.db import migrations, models

from project.foundation.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0018_audience_turn")]

    operations = [
        AddIndexOnline(
            model_name="delivery",
            index=models.Index(fields=["notification", "id"], name="delivery_by_notification"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="notification",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="deliveries",
                to="notifications.notification",
            ),
        ),
    ]
