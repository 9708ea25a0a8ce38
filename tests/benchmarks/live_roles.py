"""The parts of tests.benchmarks.live that need Django, each a process of its own: `prepare` and `publish`."""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from notifications.inbox import hub, tokens  # noqa: E402
from preferences.models import User  # noqa: E402


def prepare(count: int) -> None:
    """Make the tables and so many people; print the Redis channel, and each person's key and token."""
    call_command("migrate", verbosity=0)
    people = User.objects.bulk_create([User(user_id=f"p{number}", name=f"P{number}") for number in range(count)])
    minted = [(user.pk, tokens.mint(user_id=user.user_id, user_pk=user.pk, mode="live")[0]) for user in people]
    print(json.dumps({"channel": hub.channel(), "people": minted}))


def publish() -> None:
    """Take a line of standard input, a JSON list of (who, text); publish it at the line "go", as after a commit."""
    frames: list[tuple[int, str]] = []
    print("ready", flush=True)
    for line in sys.stdin:
        if line == "go\n":
            hub.publish(frames)
        else:
            frames = [(who, text) for who, text in json.loads(line)]
            print("loaded", flush=True)


if __name__ == "__main__":
    prepare(int(sys.argv[2])) if sys.argv[1] == "prepare" else publish()
