"""`python -m peers.run tables`, or `python -m peers.run NAME PORT PEOPLE`: a peer under Django."""

import importlib
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from peers import news  # noqa: E402
from peers.models import Person, Sent  # noqa: E402


def main() -> None:
    if sys.argv[1] == "tables":
        call_command("migrate", run_syncdb=True, verbosity=0)
        return
    peer, people = importlib.import_module(f"peers.{sys.argv[1]}"), int(sys.argv[3])
    Sent.objects.all().delete()
    Person.objects.all().delete()
    Person.objects.bulk_create(_person(number) for number in range(people))
    peer.prepare(people)
    print("ready", flush=True)
    sys.stdin.readline()
    peer.work(people)
    print("done", flush=True)
    peer.end()


def _person(number: int) -> Person:
    return Person(
        number=number, name=f"Person {number}", email=f"p{number}@example.com", wants_mail=news.wants_mail(number)
    )


if __name__ == "__main__":
    main()
