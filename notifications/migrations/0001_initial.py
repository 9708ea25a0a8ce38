import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import project.foundation.encryption
import project.foundation.ids
from project.foundation.partitions import CreateHistoryTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("preferences", "0001_initial"),
        ("templates_app", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=100, unique=True)),
                ("provider", models.CharField(max_length=40)),
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
                ("options", project.foundation.encryption.EncryptedJSONField(blank=True, default=dict)),
                ("order", models.PositiveSmallIntegerField(default=10)),
                ("enabled", models.BooleanField(default=True)),
                ("rate_limit", models.CharField(blank=True, default="", max_length=20)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["channel", "order", "name"],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.CharField(max_length=8, primary_key=True, serialize=False)),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=4)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("secret_hash", models.BinaryField(max_length=32)),
                ("scopes", models.JSONField(default=list)),
                ("rate_limit", models.CharField(blank=True, default="", max_length=20)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "API key",
                "ordering": ["-created_at"],
            },
        ),
        CreateHistoryTable(
            name="Attempt",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField()),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("transient", "Failed for now"),
                            ("throttled", "Throttled"),
                            ("recipient", "Refused for this recipient"),
                            ("account", "Refused for this account"),
                            ("unknown", "Unknown"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("error", models.CharField(blank=True, default="", max_length=500)),
                ("message_hash", models.BinaryField(blank=True, max_length=32, null=True)),
                ("snapshot", project.foundation.encryption.EncryptedJSONField(blank=True, null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="AudienceMember",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "broadcast_id", "user_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("broadcast_id", models.UUIDField()),
                ("user_id", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Broadcast",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=4)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("payload", project.foundation.encryption.EncryptedJSONField()),
                (
                    "priority",
                    models.CharField(choices=[("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High")], max_length=10),
                ),
                ("audience", models.JSONField()),
                ("send_at", models.DateTimeField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("materialising", "Finding its audience"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=14,
                    ),
                ),
                ("total", models.PositiveIntegerField(blank=True, null=True)),
                ("reached", models.BigIntegerField(default=0)),
                ("noted", models.PositiveIntegerField(default=0)),
                ("origin", models.UUIDField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Caller",
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
            name="CallerNotificationId",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=4)),
                ("key", models.UUIDField()),
                ("notification_id", models.UUIDField()),
                ("body_hash", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
        ),
        CreateHistoryTable(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=4)),
                ("lane", models.SmallIntegerField(choices=[(0, "High"), (1, "Normal"), (2, "Bulk")])),
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
                ("step", models.PositiveSmallIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("queued", "Queued"),
                            ("held", "Held"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("opened", "Opened"),
                            ("clicked", "Clicked"),
                            ("bounced", "Bounced"),
                            ("complained", "Complained"),
                            ("failed", "Failed"),
                            ("skipped", "Skipped"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                            ("unknown", "Unknown"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=40)),
                ("dead", models.BooleanField(default=False)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("attempts_before", models.PositiveSmallIntegerField(default=0)),
                ("provider_message_id", models.CharField(blank=True, default="", max_length=255)),
                ("error", models.CharField(blank=True, default="", max_length=500)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("clicked_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("lease", models.UUIDField(blank=True, null=True)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("recoveries", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ["id"],
            },
        ),
        CreateHistoryTable(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("at", models.DateTimeField()),
                ("detail", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=4)),
                ("route", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=255)),
                ("body_hash", models.BinaryField(max_length=32)),
                ("status", models.PositiveSmallIntegerField()),
                ("body", project.foundation.encryption.EncryptedJSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="InboxCounter",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="inbox_counter",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("seq", models.BigIntegerField(default=0)),
                ("unread", models.IntegerField(default=0)),
                ("unseen", models.IntegerField(default=0)),
                ("total", models.IntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="AccountState",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="notifications.provideraccount",
                    ),
                ),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("recent", models.CharField(blank=True, default="", max_length=20)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("probe_until", models.DateTimeField(blank=True, null=True)),
                ("throttled_until", models.DateTimeField(blank=True, null=True)),
                ("tokens", models.FloatField(default=0)),
                ("tokens_at", models.DateTimeField(blank=True, null=True)),
                ("refused_at", models.DateTimeField(blank=True, null=True)),
                ("refusal", models.CharField(blank=True, default="", max_length=500)),
            ],
        ),
        migrations.AddField(
            model_name="attempt",
            name="provider_account",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="notifications.provideraccount",
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="template_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="templates_app.templateversion",
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="type",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="templates_app.type"
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="caller",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="notifications.caller"
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="caller",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="keys", to="notifications.caller"
            ),
        ),
        migrations.AddField(
            model_name="callernotificationid",
            name="caller",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="notifications.caller"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="broadcast",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="notifications.broadcast",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="contact_point",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="preferences.contactpoint",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="provider_account",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="notifications.provideraccount",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="type",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="templates_app.type",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="delivery",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="attempt_rows",
                to="notifications.delivery",
            ),
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[],
            options={
                "ordering": ["-id"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("notifications.delivery",),
        ),
        migrations.CreateModel(
            name="UnknownDelivery",
            fields=[],
            options={
                "verbose_name": "unknown outcome",
                "ordering": ["-id"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("notifications.delivery",),
        ),
        migrations.AddField(
            model_name="event",
            name="delivery",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="notifications.delivery",
            ),
        ),
        migrations.AddField(
            model_name="idempotencyrecord",
            name="caller",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="notifications.caller"
            ),
        ),
        migrations.CreateModel(
            name="InboxItem",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("notification_id", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("type_key", models.CharField(max_length=100)),
                ("priority", models.CharField(max_length=10)),
                ("content", project.foundation.encryption.EncryptedJSONField()),
                ("why", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                ("snoozed_until", models.DateTimeField(blank=True, null=True)),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="preferences.category"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inbox_items",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        CreateHistoryTable(
            name="Notification",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=4)),
                ("caller_notification_id", models.UUIDField(blank=True, null=True)),
                (
                    "priority",
                    models.CharField(choices=[("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High")], max_length=10),
                ),
                ("lane", models.SmallIntegerField(choices=[(0, "High"), (1, "Normal"), (2, "Bulk")])),
                ("locale", models.CharField(blank=True, default="", max_length=35)),
                ("payload", project.foundation.encryption.EncryptedJSONField(blank=True, null=True)),
                ("metadata", project.foundation.encryption.EncryptedJSONField(blank=True, null=True)),
                ("channels_preferred", models.JSONField(blank=True, null=True)),
                ("occurred_at", models.DateTimeField(blank=True, null=True)),
                ("send_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("decisions", models.JSONField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("scheduled", "Scheduled"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                        ],
                        default="accepted",
                        max_length=12,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("lease", models.UUIDField(blank=True, null=True)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("recoveries", models.PositiveSmallIntegerField(default=0)),
                (
                    "broadcast",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notifications",
                        to="notifications.broadcast",
                    ),
                ),
                (
                    "caller",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="notifications.caller",
                    ),
                ),
                (
                    "template_version",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="templates_app.templateversion",
                    ),
                ),
                (
                    "type",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="templates_app.type",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="event",
            name="notification",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="notifications.notification",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="notification",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="deliveries",
                to="notifications.notification",
            ),
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=project.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("notification_id", models.UUIDField(db_index=True)),
                ("delivery_id", models.UUIDField(unique=True)),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=4)),
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
                ("to", project.foundation.encryption.EncryptedTextField(default="")),
                ("headers", project.foundation.encryption.EncryptedJSONField(default=dict)),
                ("parts", project.foundation.encryption.EncryptedJSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                (
                    "caller",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="notifications.caller",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="broadcast",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="broadcast_due"),
        ),
        migrations.AddConstraint(
            model_name="broadcast",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["scheduled", "materialising", "paused", "cancelled"]),
                    ("total__isnull", False),
                    _connector="OR",
                ),
                name="a_running_broadcast_has_its_audience",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["live", "test"])), name="key_mode_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="callernotificationid",
            constraint=models.UniqueConstraint(fields=("caller", "mode", "key"), name="one_notification_per_caller_id"),
        ),
        migrations.AddConstraint(
            model_name="idempotencyrecord",
            constraint=models.UniqueConstraint(
                fields=("caller", "mode", "route", "key"), name="one_answer_per_idempotency_key"
            ),
        ),
        migrations.AddIndex(
            model_name="inboxitem",
            index=models.Index(fields=["user", "-id"], name="inbox_by_user"),
        ),
        migrations.AddIndex(
            model_name="inboxitem",
            index=models.Index(fields=["user", "seq"], name="inbox_changes"),
        ),
        migrations.AddIndex(
            model_name="inboxitem",
            index=models.Index(
                condition=models.Q(("archived_at__isnull", True), ("read_at__isnull", True)),
                fields=["user"],
                name="inbox_unread",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["lane", "due_at"], name="notification_due"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["user", "-id"], name="notification_by_user"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["caller", "mode", "-id"], name="notification_by_caller"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("broadcast__isnull", False)), fields=["broadcast"], name="notification_by_broadcast"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("broadcast__isnull", False), ("due_at__isnull", False)),
                fields=["broadcast", "due_at"],
                name="broadcast_unplanned",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("due_at__isnull", True), ("status__in", ["accepted", "scheduled", "processing"]), _connector="OR"
                ),
                name="only_open_notifications_are_due",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["lane", "channel", "due_at"], name="delivery_due"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False), ("mode", "test")),
                fields=["lane", "channel", "due_at"],
                name="delivery_due_in_test",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("provider_message_id", ""), _negated=True),
                fields=["provider_message_id"],
                name="delivery_by_provider_id",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("dead", True)), fields=["-id"], name="dead_letters"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("reason__in", ["type_paused", "channel_paused", "account", "brake"])),
                fields=["channel", "lane", "id"],
                name="delivery_held",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("broadcast__isnull", False)), fields=["broadcast"], name="delivery_by_broadcast"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("broadcast__isnull", False), ("due_at__isnull", False)),
                fields=["broadcast", "due_at"],
                name="broadcast_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("reason", "broadcast_paused")), fields=["broadcast"], name="broadcast_held"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("due_at__isnull", True),
                    ("status__in", ["scheduled", "queued", "sending", "unknown"]),
                    _connector="OR",
                ),
                name="only_open_deliveries_are_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("dead", False), ("status", "failed"), _connector="OR"),
                name="dead_letters_have_failed",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["skipped", "held", "cancelled"]), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="a_stop_has_a_reason",
            ),
        ),
    ]
