from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("preferences", "0007_rights_to_export")]

    operations = [
        migrations.AddField(
            model_name="suppression",
            name="actor",
            field=models.CharField(blank=True, db_default="", default="", max_length=255),
        ),
        migrations.AddField(
            model_name="suppression",
            name="source",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="suppression",
            name="stopped",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
