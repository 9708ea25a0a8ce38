"""One Celery task a recipient with Django's send_mail, two worker processes."""

import subprocess
import sys
import time

from peers import news, tasks
from peers.models import Person, Sent

_worker: list["subprocess.Popen[bytes]"] = []


def prepare(people: int) -> None:
    with tasks.app.connection_for_write() as connection:
        connection.default_channel.queue_declare("bench-peers")
        connection.default_channel.queue_purge("bench-peers")
    command = ["-m", "celery", "-A", "peers.tasks", "worker", "--concurrency", "2", "-n", "peers@%h"]
    command += ["--loglevel", "ERROR", "--without-mingle", "--without-gossip"]
    _worker.append(subprocess.Popen([sys.executable, *command], stdout=sys.stderr))
    while not tasks.app.control.ping(timeout=1):
        if _worker[0].poll() is not None:
            sys.exit("The worker did not start.")


def work(people: int) -> None:
    for pk in Person.objects.values_list("pk", flat=True):
        tasks.tell.delay(pk)
    while Sent.objects.count() < news.allowed(people):
        time.sleep(0.05)


def end() -> None:
    _worker[0].terminate()
    _worker[0].wait(30)
