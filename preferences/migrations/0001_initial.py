import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import project.foundation.encryption
import project.foundation.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Topic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=100, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("user_id", models.CharField(max_length=255, unique=True)),
                ("name", project.foundation.encryption.EncryptedTextField(blank=True, default="")),
                ("locale", models.CharField(blank=True, default="", max_length=35)),
                ("timezone", models.CharField(blank=True, default="", max_length=64)),
                ("attributes", project.foundation.encryption.EncryptedJSONField(blank=True, default=dict)),
                ("filterable", models.JSONField(blank=True, default=dict)),
                ("is_staff", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=100, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "kind",
                    models.CharField(
                        choices=[("transactional", "Transactional"), ("marketing", "Marketing"), ("system", "System")],
                        default="transactional",
                        max_length=20,
                    ),
                ),
                ("required_channels", models.JSONField(blank=True, default=list)),
                ("default_channels", models.JSONField(blank=True, default=dict)),
                (
                    "overflow",
                    models.CharField(
                        choices=[("digest", "Gather in the daily digest"), ("drop", "Drop")],
                        default="digest",
                        max_length=10,
                    ),
                ),
                ("urgent", models.BooleanField(default=False)),
                (
                    "unknown_outcome",
                    models.CharField(
                        choices=[("hold", "Wait for an operator"), ("resend", "Send again")],
                        default="resend",
                        max_length=10,
                    ),
                ),
                ("approval", models.BooleanField(default=False)),
                ("track_opens", models.BooleanField(default=True)),
                ("track_clicks", models.BooleanField(default=True)),
            ],
            options={
                "verbose_name_plural": "categories",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["transactional", "marketing", "system"])),
                        name="category_kind_is_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject", models.CharField(max_length=255)),
                ("old", models.CharField(max_length=40)),
                ("new", models.CharField(max_length=40)),
                ("source", models.CharField(max_length=40)),
                ("actor", models.CharField(max_length=255)),
                ("ip", project.foundation.encryption.EncryptedTextField(blank=True, default="")),
                ("agent", models.CharField(blank=True, default="", max_length=255)),
                ("wording", models.CharField(blank=True, default="", max_length=40)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_records",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ContactPoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
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
                ("address", project.foundation.encryption.EncryptedTextField()),
                ("address_index", models.BinaryField(max_length=32)),
                ("label", models.CharField(blank=True, default="", max_length=100)),
                ("secret", project.foundation.encryption.EncryptedTextField(blank=True, default="")),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_reason", models.CharField(blank=True, default="", max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_points",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Mute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type_key", models.CharField(blank=True, default="", max_length=100)),
                ("until", models.DateTimeField(blank=True, null=True)),
                (
                    "category",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to="preferences.category"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mutes", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Preference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        blank=True,
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
                        default="",
                        max_length=20,
                    ),
                ),
                ("enabled", models.BooleanField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "category",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to="preferences.category"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Suppression",
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
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("bounce", "Hard bounce"),
                            ("complaint", "Complaint"),
                            ("stop", "Asked to stop"),
                            ("erased", "Erased"),
                            ("operator", "Set by an operator"),
                        ],
                        max_length=20,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "address_index"), name="one_suppression_per_address")
                ],
            },
        ),
        migrations.CreateModel(
            name="TopicSubscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "topic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subscriptions",
                        to="preferences.topic",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="topic_subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("user_id", ""), _negated=True), name="user_has_a_user_id"
            ),
        ),
        migrations.AddIndex(
            model_name="consentrecord",
            index=models.Index(fields=["user", "-id"], name="consent_by_user"),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(fields=["address_index"], name="contact_point_by_address"),
        ),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.UniqueConstraint(
                fields=("user", "channel", "address_index"), name="one_contact_point_per_address"
            ),
        ),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("disabled_at__isnull", True), models.Q(("disabled_reason", ""), _negated=True), _connector="OR"
                ),
                name="disabled_contact_point_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="mute",
            constraint=models.UniqueConstraint(
                condition=models.Q(("category__isnull", False)),
                fields=("user", "category"),
                name="one_mute_per_category",
            ),
        ),
        migrations.AddConstraint(
            model_name="mute",
            constraint=models.UniqueConstraint(
                condition=models.Q(("category__isnull", True)), fields=("user", "type_key"), name="one_mute_per_type"
            ),
        ),
        migrations.AddConstraint(
            model_name="mute",
            constraint=models.CheckConstraint(
                condition=models.Q(("category__isnull", True), ("type_key", ""), _connector="OR"),
                name="mute_is_of_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.UniqueConstraint(
                condition=models.Q(("category__isnull", False)),
                fields=("user", "category", "channel"),
                name="one_choice_per_category_and_channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.UniqueConstraint(
                condition=models.Q(("category__isnull", True)),
                fields=("user", "channel"),
                name="one_choice_per_channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("category__isnull", False), models.Q(("channel", ""), _negated=True), _connector="OR"
                ),
                name="choice_is_about_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="topicsubscription",
            constraint=models.UniqueConstraint(fields=("topic", "user"), name="one_subscription_per_topic_and_user"),
        ),
    ]
