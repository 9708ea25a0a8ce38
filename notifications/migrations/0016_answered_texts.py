from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0015_used_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="AnsweredText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("push", "Push"),
                            ("web_push", "Browser push"),
                            ("in_app", "In the app"),
                            ("webhook", "Webhook"),
                            ("chat", "Chat"),
                            ("voice", "Voice call"),
                        ],
                        max_length=20,
                    ),
                ),
                ("address_index", models.BinaryField(max_length=32)),
                ("kind", models.CharField(max_length=20)),
                ("at", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("address_index", "kind"), name="one_answered_text_per_kind")
                ],
            },
        ),
    ]
