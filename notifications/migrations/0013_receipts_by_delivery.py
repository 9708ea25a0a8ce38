"""What was reported of a person's deliveries is found when the person is erased."""

from django.db import migrations, models

from project.foundation.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0012_shared_decisions")]

    operations = [
        AddIndexOnline(
            model_name="receiptrecord",
            index=models.Index(fields=["delivery_id"], name="receipt_by_delivery"),
        ),
    ]
