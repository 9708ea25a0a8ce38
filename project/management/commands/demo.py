from typing import Any

from django.core.management.base import BaseCommand

from project.demo import credentials, loading


class Command(BaseCommand):
    help = "Load the demo (a shop, three people, the outbox on every channel) and write its credentials to demo.json."

    def handle(self, *args: Any, **options: Any) -> None:
        loading.load()
        provided = credentials.provide()
        if options["verbosity"] > 0:
            self.stdout.write(f"The demo is loaded. {credentials.path()} holds its keys and the login of its admin,")
            self.stdout.write(f"{provided['admin']['username']!r}, for {provided['url']}/admin/")
