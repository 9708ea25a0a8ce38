from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "project.foundation"
    label = "foundation"
    verbose_name = "Foundation"
