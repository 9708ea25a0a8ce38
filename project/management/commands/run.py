import json
import os
import warnings
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from project import embedded

_DEMO = "demo.json"


class Command(BaseCommand):
    help = "Run the whole installation in this one process: API, pages, live inbox, worker and beat."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
        os.umask(0o077)  # what is kept here is for its owner alone
        with embedded.only_one(settings.VAR_DIR), embedded.listen(settings.HOST, settings.PORT) as listener:
            _migrate()
            if not (settings.VAR_DIR / _DEMO).exists():
                call_command("demo", verbosity=0)
            self.stdout.write(_welcome())
            self.stdout.flush()
            embedded.run(listener)
        self.stdout.write("Carillon has stopped.")


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
    connection.close()


def _welcome() -> str:
    demo = json.loads((settings.VAR_DIR / _DEMO).read_text())
    url = settings.PUBLIC_URL
    return f"""
  Carillon is at    {url}
  Admin             {url}/admin/   {demo["admin"]["username"]} / {demo["admin"]["password"]}
  Live key          {demo["live_key"]}
  Test key          {demo["test_key"]}
  These are kept in {settings.VAR_DIR / _DEMO}

  Open {url} and send yourself something:

  curl -X POST {url}/api/v1/notifications/send \\
    -H 'Authorization: Bearer {demo["live_key"]}' -H 'Content-Type: application/json' \\
    -d '{{"user_id": "ada", "type": "ORDER_CONFIRMATION",
         "payload": {{"template_variables": {{"order_id": "1234", "customer_name": "Ada"}}}}}}'

  Ctrl-C stops everything.
"""
