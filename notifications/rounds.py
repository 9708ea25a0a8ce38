"""Going on until nothing is due: what a doorbell or the sweep sets off, whatever it was that rang.

The high lane goes first, and is looked at again after every batch of planning and every sub-batch of deliveries; then
the normal one, then bulk.
"""

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

from notifications import delivery, doorbell, fanout, holding, lanes, leases, planning, stopping
from notifications.inbox import late
from notifications.models import Delivery, Lane
from notifications.plans import Written
from project.foundation import prepared

logger = logging.getLogger(__name__)

SELDOM_SECONDS = 0.5  # between looks at broadcasts and at what is held, while there is other work
_LOOK_AGAIN_SECONDS = 0.3
_ABOVE_BULK = (Lane.HIGH, Lane.NORMAL)


def sweep(ended: Callable[[], bool] = stopping.asked) -> int:
    """Do whatever is due, on every channel, without any broker; return how many rows were taken up.

    `ended`: nothing more is taken up once it says so. A database that is away is met again next time.
    """
    try:
        return _work(ended)
    except (OperationalError, InterfaceError):
        logger.warning("sweep.no_database")
        if not connection.in_atomic_block:
            connection.close()
        return 0


def _work(ended: Callable[[], bool]) -> int:
    """Take up whatever is due, and look at what changes seldom now and then and before the end."""
    total, look_again, bulk = 0, 0.0, _Bulk()
    while not ended():
        prepared.get_ready()
        whole = time.monotonic() >= look_again
        count = (holding.let_go() if whole else 0) or _once(bulk, ended, whole=whole)
        if count:
            look_again = time.monotonic() + SELDOM_SECONDS if whole and not bulk.advanced else look_again
        elif whole:
            break
        else:
            look_again = 0.0
        total += count
    return total


def _once(bulk: "_Bulk", ended: Callable[[], bool], *, whole: bool) -> int:
    due = leases.look(_ABOVE_BULK)
    return _round(Lane.HIGH, due, ended) or _round(Lane.NORMAL, due, ended) or bulk.round(ended, whole=whole)


class _Bulk:
    """The bulk lane. What was due there will be due again, mostly: it is looked for now and then, not every time."""

    def __init__(self) -> None:
        self.advanced = False  # a broadcast moved on: it may move on further
        self._has_called = False
        self._due: leases.Due | None = None

    def round(self, ended: Callable[[], bool], *, whole: bool) -> int:
        self.advanced = False
        with lanes.bulk() as permitted:
            if not permitted:
                return 0
            moved = self._advance(ended) if whole else 0
            self.advanced = moved > 0
            if self._due is None or whole:
                self._due = leases.look([Lane.BULK])
            done = _round(Lane.BULK, self._due, ended)
            if not done:
                self._due = None
            return moved + done

    def _advance(self, ended: Callable[[], bool]) -> int:
        """Move each broadcast by a step, and deliver what of it is ours; what is urgent comes between sub-batches."""
        moved = 0
        for step in fanout.steps():
            moved += step.moved
            if step.written:
                self._call_another()
            for written in step.written:
                _deliver_written(written, ended)
            if ended():
                break
        return moved

    def _call_another(self) -> None:
        """Wake one process more, once a round: there is more to plan, and what was planned here is done here."""
        if not self._has_called:
            self._has_called = True
            doorbell.ring(doorbell.PLAN)


def _deliver_written(written: Written, ended: Callable[[], bool]) -> None:
    with lanes.channel(written.channel) as permitted:
        if permitted and not ended():
            for _ in delivery.deliver_written(written):
                _urgent(ended)
                if ended() or _gives_way(written):
                    break
    if written.claim.rows:
        leases.release(Delivery, written.claim.token)


def _gives_way(written: Written) -> bool:
    """Tell whether the normal lane has waited long enough: with a slow provider a claim lasts for half a lease."""
    if written.claim.age.total_seconds() < SELDOM_SECONDS:
        return False
    due = leases.look([Lane.NORMAL])
    return bool(due.planning or due.channels[Lane.NORMAL])


def _round(lane: Lane, due: leases.Due, ended: Callable[[], bool]) -> int:
    """Plan one batch of a lane and deliver one sub-batch on each of its channels; what is urgent comes between.

    Bulk is planned no further ahead than it is sent, or a broadcast's first message would wait for its last.
    """
    total = planning.plan_due(lane=lane) if lane in due.planning and lane != Lane.BULK else 0
    for number, channel in enumerate(due.channels[lane]):
        if lane != Lane.HIGH and number:
            total += _urgent(ended)
        if ended():
            break
        total += _deliver(channel, lane)
    return planning.plan_due(lane=lane) if lane == Lane.BULK and lane in due.planning and not total else total


def _deliver(channel: str, lane: Lane) -> int:
    """Deliver one sub-batch, unless all that may be with this channel's providers are: they go on until nothing is due.

    What is urgent need not ask.
    """
    if lane == Lane.HIGH:
        return _deliver_due(channel, lane)
    with lanes.channel(channel) as permitted:
        if permitted:
            return _deliver_due(channel, lane)
    doorbell.alarm.set(_LOOK_AGAIN_SECONDS)  # should they have looked for the last time just before it came
    return 0


def _deliver_due(channel: str, lane: Lane) -> int:
    waiting = late.deliver_due(lane=lane) if channel == "in_app" else 0
    return waiting + delivery.deliver_due(channel, lane=lane)


def _urgent(ended: Callable[[], bool]) -> int:
    total = 0
    while not ended() and (count := _round(Lane.HIGH, leases.look([Lane.HIGH]), ended)):
        total += count
    return total
