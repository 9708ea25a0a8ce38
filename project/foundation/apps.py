from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "project.foundation"
    label = "foundation"
    verbose_name = "Insight"  # the group of the sidebar in which the audit trail stands
