"""What a Celery worker does besides its tasks: loaded by CELERY_IMPORTS, in workers alone."""

import logging
import os
import sys
from contextlib import suppress
from typing import Any

from billiard.util import get_pdeathsig  # type: ignore[attr-defined]
from celery import signals
from django.conf import settings
from django.db import DatabaseError, connections

from notifications import accounts, lanes, stopping, sweeper
from project import collecting

logger = logging.getLogger(__name__)


@signals.celeryd_init.connect
def refuse_sqlite(**kwargs: object) -> None:
    """End a worker of its own without PostgreSQL: `manage.py run` is the one process that SQLite is for."""
    if settings.EMBEDDED:
        sys.exit("Set DATABASE_URL: without it Carillon runs embedded, in the one process of `manage.py run`.")


@signals.worker_init.connect
def keep_a_way_free(sender: Any, **kwargs: object) -> None:
    """Say how many processes will share the bulk lane, and what memory, before there is any of them."""
    lanes.share_among(sender.concurrency if isinstance(sender.concurrency, int) else os.cpu_count() or 2)
    _load_ahead()
    collecting.keep_what_is_loaded()


def _load_ahead() -> None:
    """Load what each child would load for itself."""
    with suppress(OSError):  # there is none but on Linux
        get_pdeathsig()  # brings a parser of C along, as setting it does in each child
    try:
        accounts.load_those_in_use()
    except DatabaseError:  # it may be away: then each process loads its own
        logger.warning("worker.no_database")
    finally:
        connections.close_all()  # no connection survives a fork


@signals.worker_shutting_down.connect
def take_up_nothing_new(**kwargs: object) -> None:
    """Let the tasks under way end after the sub-batch they are in: Celery waits for them."""
    stopping.ask()


@signals.worker_process_init.connect
def start_sweeping(**kwargs: object) -> None:
    """Sweep in each pool process, after its fork: it needs no broker, so it goes on when that is away."""
    sweeper.start()


@signals.worker_process_shutdown.connect
def stop_sweeping(**kwargs: object) -> None:
    sweeper.stop()


@signals.task_prerun.connect
def drop_dead_connections(**kwargs: object) -> None:
    """Let go of connections that a restart of the database has cut: Celery keeps them over tasks (DB_REUSE_MAX)."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block and not connection.is_usable():
            connection.close()
