"""A question to an address outlives the address, so that removing it and adding it again asks it no more often."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("preferences", "0011_right_to_erase")]

    operations = [
        migrations.AddField(
            model_name="addressconfirmation",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="addressconfirmation",
            name="contact_point",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="confirmations",
                to="preferences.contactpoint",
            ),
        ),
    ]
