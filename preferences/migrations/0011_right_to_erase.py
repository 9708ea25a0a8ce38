from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("preferences", "0010_erasure")]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("export_user", "Can download everything about a person"),
                    ("erase_user", "Can erase a person"),
                ]
            },
        ),
    ]
