import os
import sys
from typing import Any

from celery.utils.nodenames import default_nodename, host_format
from django.core.management.base import BaseCommand, CommandParser

from project.celery import app


class Command(BaseCommand):
    help = "Plan and deliver, in so many processes beside this one, until SIGTERM. It needs PostgreSQL."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=os.cpu_count() or 1, help="how many processes")
        parser.add_argument("--name", help="what the broker knows it by; worker@host unless said")
        parser.add_argument("--log-level", default="WARNING")

    def handle(self, *args: Any, **options: Any) -> None:
        # As `celery worker` does, but without Celery's other commands: their prompt weighs nine megabytes.
        app.set_default()
        worker = app.Worker(
            hostname=host_format(default_nodename(options["name"] or "worker@%h")),
            concurrency=options["concurrency"],
            loglevel=options["log_level"],
            without_mingle=True,
            without_gossip=True,
            quiet=True,
        )
        worker.start()
        sys.exit(worker.exitcode)
