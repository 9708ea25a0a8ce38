"""What somebody did is found without reading all that everybody did."""

from django.db import migrations, models

from project.foundation.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("foundation", "0002_right_to_export")]

    operations = [
        AddIndexOnline(
            model_name="auditevent",
            index=models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ),
    ]
