"""An e-mail broadcast, from the call that accepts it to the last row that says "sent", beside what others do.

Carillon sends to COUNT people (100,000) with choices, a template of text and HTML, decisions, history, attempts and
statuses, over a worker with two processes at bulk work and a third that lanes.py keeps free for what is urgent. The
peers, which are slower, get fewer people. After every run the books are compared, person by person.
"""

import os
from collections.abc import Callable
from functools import partial

from celery import Celery
from django.conf import settings
from django.core.management import call_command

from notifications import broadcasts
from notifications.models import Attempt, Broadcast, Delivery, InboxItem, Notification
from templates_app.models import Type
from tests.benchmarks import fleet, harness, people, scratch, sizes, texts_of_mail
from tests.benchmarks.costs import Costs
from tests.benchmarks.harness import Measured, Part, must_equal, ratio, tell
from tests.benchmarks.peers import news, running
from tests.benchmarks.sink import NAME, Sink

COUNT = int(os.environ.get("COUNT", 10_000 if scratch.QUICK else 100_000))
WARM_UP = min(2000, COUNT)  # people of the first broadcast, which only shows how long the others will take
LONGEST = float(os.environ.get("BROADCAST_SECONDS", 60))  # of one round; fewer people are told when it would take more
IN_APP = 2000 if scratch.QUICK else 10_000
PEOPLE_OF_PEERS = {"post_office": 2000, "task_each": 1000, "careful": 2400, "raw_smtp": 100_000}
FEWER = 2 if scratch.QUICK else 1
BULK_PROCESSES = 2
KEEP = 60  # people whose mails are compared with Django's, word by word


def measure() -> Part:
    part = Part("broadcast", "A broadcast of e-mails, with choices, template, history and status")
    running.install()
    call_command("migrate", verbosity=0)
    _empty_queue()
    near, far = Sink(keep=KEEP), Sink(delay_ms=10, keep=KEEP)
    try:
        given = people.make(COUNT, port=near.port)
        with scratch.database("peers") as database, fleet.worker(BULK_PROCESSES + 1, {}) as worker:
            running.prepare(database)
            count = _affordable(given.by_mail, near)
            costs = Costs(worker)
            _side_by_side(part, given, near, database, count, costs)
            part.measured += [costs.of_worker, costs.of_database]
            _far_away(part, given.by_mail, far, min(count // 2, 40_000))
    finally:
        near.close()
        far.close()
    part.facts |= {"bytes on disk a row": sizes.of_rows()}
    part.facts |= {"sink": NAME, "people of each broadcast": count, "of them allowed": news.allowed(count)}
    return part


def _side_by_side(part: Part, given: people.Given, sink: Sink, database: str, count: int, costs: Costs) -> None:
    peers = {name: size // FEWER for name, size in PEOPLE_OF_PEERS.items()}
    hq = IN_APP // 5
    cases: dict[str, Callable[[], float]] = {
        "Carillon": lambda: costs.of(lambda: tell_all(given.by_mail, sink, count), mails=news.allowed(count)),
        "django-post_office (send_many, 2 processes)": partial(_peer, "post_office", peers, sink, database),
        "one Celery task a recipient (2 processes)": partial(_peer, "task_each", peers, sink, database),
        "careful Django (send_messages by 500)": partial(_peer, "careful", peers, sink, database),
        "raw SMTP client, pipelined (2 processes)": partial(_peer, "raw_smtp", peers, sink, database),
        "Carillon, into the inbox": lambda: _into_inboxes(given.in_app, IN_APP),
        "django-notifications-hq, into its list": lambda: running.rows_per_second(
            "notifications_hq", database=database, people=hq
        ),
    }
    found = harness.interleaved(cases, scratch.ROUNDS)
    part.measured += found.values()
    ours, post_office, task_each, careful, raw, in_app, theirs = found.values()
    part.ratios += [
        ratio("Carillon : django-post_office", ours, post_office, must=10, aim=18),
        ratio("Carillon : one Celery task a recipient", ours, task_each, must=20, aim=30),
        ratio("Carillon : careful Django", ours, careful),
        ratio("Carillon : raw SMTP client (share of what a client can do at all)", ours, raw, must=0.05, aim=0.1),
        ratio("Carillon : django-notifications-hq, in the app", in_app, theirs),
    ]


def tell_all(type_: Type, sink: Sink, count: int) -> float:
    """Broadcast to the first `count` people, wait for the last status, check the books; return mails a second."""
    sink.reset()
    expected = [int(news.wants_mail(number)) for number in range(count)]
    total = sum(expected)
    with harness.stopwatch() as seconds:
        broadcast = _begin(type_, count)
        harness.wait_until(lambda: sink.messages >= total, seconds=900, what="the broadcast's mails", every=0.005)
        harness.wait_until(lambda: _sent(broadcast) >= total, seconds=60, what="the last statuses")
        taken = seconds()
    harness.wait_until(lambda: _is_over(broadcast), seconds=90, what="the broadcast's end")
    must_equal(
        taken_by_sink=sink.messages,
        rows_sent=_sent(broadcast),
        attempts=Attempt.objects.filter(delivery__broadcast=broadcast, outcome="accepted").count(),
        allowed=total,
    )
    must_equal(people_with_other_than_expected=sink.differing(expected), none=0)
    must_equal(notifications=Notification.objects.filter(broadcast=broadcast).count(), people=count)
    texts_of_mail.must_say_the_same(sink.kept())
    return total / taken


def _into_inboxes(type_: Type, count: int) -> float:
    before = InboxItem.objects.count()
    with harness.stopwatch() as seconds:
        _begin(type_, count)
        harness.wait_until(lambda: InboxItem.objects.count() - before >= count, seconds=300, what="the inbox items")
        taken = seconds()
    must_equal(items=InboxItem.objects.count() - before, people=count)
    return count / taken


def _far_away(part: Part, type_: Type, sink: Sink, count: int) -> None:
    """A relay whose answers take 10 ms, over 64 connections: 32 of each process."""
    account = people.mail_account()
    account.options = people.options(sink.port, connections=64 // BULK_PROCESSES)
    account.save(update_fields=["options"])
    harness.wait_until(_seconds_passed(6), seconds=10, what="the workers to notice the account")
    measured = Measured(f"Carillon, relay 10 ms away (sub-batches of {settings.FLUSH_SIZE})", "/s")
    connections = 0
    for _ in range(1 if scratch.QUICK else 2):
        measured.per_round.append(tell_all(type_, sink, count))
        connections = max(connections, sink.connections)
    measured.note = f"{connections} connections"
    part.measured.append(measured)
    tell(f"{measured.name}: {measured.median:,.0f} /s")


def _affordable(type_: Type, sink: Sink) -> int:
    """Return how many people can be told in a round's time, going by a first, small broadcast."""
    rate = tell_all(type_, sink, WARM_UP)
    tell(f"warming up: {rate:,.0f} /s")
    return min(COUNT, max(WARM_UP, int(rate * LONGEST) // 1000 * 1000))


def _peer(name: str, sizes: dict[str, int], sink: Sink, database: str) -> float:
    size = sizes[name]
    expected = [1 if name == "raw_smtp" else int(news.wants_mail(number)) for number in range(size)]
    return running.mails_per_second(name, database=database, sink=sink, people=size, expected=expected)


def _begin(type_: Type, count: int) -> Broadcast:
    audience = {"all": True} if count >= COUNT else {"topic": people.topic(count)}
    request = broadcasts.Request(type=type_, payload=people.PAYLOAD, audience=audience)
    return broadcasts.accept(request, actor="bench").broadcast


def _sent(broadcast: Broadcast) -> int:
    return Delivery.objects.filter(broadcast=broadcast, channel="email", status=Delivery.Status.SENT).count()


def _is_over(broadcast: Broadcast) -> bool:
    broadcast.refresh_from_db(fields=["status"])
    return broadcast.status == Broadcast.Status.COMPLETED


def _seconds_passed(wanted: float) -> Callable[[], bool]:
    with harness.stopwatch() as seconds:
        return lambda: seconds() >= wanted


def _empty_queue() -> None:
    """Drop what an earlier run has left: doorbells, which say nothing."""
    with Celery(broker=scratch.REDIS).connection_for_write() as connection:
        connection.default_channel.queue_declare(settings.CELERY_TASK_DEFAULT_QUEUE)
        connection.default_channel.queue_purge(settings.CELERY_TASK_DEFAULT_QUEUE)
