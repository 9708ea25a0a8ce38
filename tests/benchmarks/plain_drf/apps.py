from django.apps import AppConfig


class PlainDrfConfig(AppConfig):
    name = "tests.benchmarks.plain_drf"
    label = "plain_drf"
    default_auto_field = "django.db.models.BigAutoField"
