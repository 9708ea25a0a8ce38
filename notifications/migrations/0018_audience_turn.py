"""The people of one turn are found without reading the whole audience."""

from django.db import migrations, models
from django.db.models import Q

from project.foundation.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0017_local_time")]

    operations = [
        AddIndexOnline(
            model_name="audiencemember",
            index=models.Index(
                fields=["broadcast_id", "tell_at", "user_id"], condition=Q(tell_at__isnull=False), name="audience_turn"
            ),
        ),
    ]
