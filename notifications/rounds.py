"""Going on until nothing is due: what a doorbell or the sweep sets off, whatever it was that rang.

The high lane goes first, and is looked at again after every batch of planning and every sub-batch of deliveries; then
the normal one, then bulk.
"""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

from notifications import delivery, fanout, holding, lanes, leases, planning, stopping
from notifications.models import Lane

logger = logging.getLogger(__name__)


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
    total = 0
    while not ended():
        count = holding.let_go() or _round(Lane.HIGH, ended) or _round(Lane.NORMAL, ended) or _bulk(ended)
        if not count:
            break
        total += count
    return total


def _round(lane: Lane, ended: Callable[[], bool]) -> int:
    """Plan one batch of a lane and deliver one sub-batch on each of its channels; what is urgent comes between.

    Bulk is planned no further ahead than it is sent, or a broadcast's first message would wait for its last.
    """
    total = planning.plan_due(lane=lane) if lane != Lane.BULK else 0
    for channel in leases.channels_due(lane):
        if lane != Lane.HIGH:
            total += _urgent(ended)
        if ended():
            break
        total += delivery.deliver_due(channel, lane=lane)
    return total if total or lane != Lane.BULK else planning.plan_due(lane=lane)


def _urgent(ended: Callable[[], bool]) -> int:
    total = 0
    while not ended() and (count := _round(Lane.HIGH, ended)):
        total += count
    return total


def _bulk(ended: Callable[[], bool]) -> int:
    with lanes.bulk() as permitted:
        return fanout.advance_due() + _round(Lane.BULK, ended) if permitted else 0
