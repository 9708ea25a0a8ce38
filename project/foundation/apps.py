from django.apps import AppConfig
from django.db.backends.signals import connection_created

from project.foundation import moments


class FoundationConfig(AppConfig):
    name = "project.foundation"
    label = "foundation"
    verbose_name = "Insight"  # the group of the sidebar in which the audit trail stands

    def ready(self) -> None:
        connection_created.connect(moments.read_fast)
