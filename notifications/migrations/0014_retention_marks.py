from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0013_receipts_by_delivery")]

    operations = [
        migrations.CreateModel(
            name="RetentionMark",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("reached", models.UUIDField()),
                ("left", models.JSONField(default=list)),
            ],
        ),
    ]
