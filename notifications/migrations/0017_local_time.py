from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0016_answered_texts")]

    operations = [
        migrations.AddField(
            model_name="broadcast",
            name="local_time",
            field=models.CharField(blank=True, db_default="", default="", max_length=5),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="turn",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="audiencemember",
            name="tell_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
