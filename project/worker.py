"""What a Celery worker does besides its tasks: loaded by CELERY_IMPORTS, in workers alone."""

from celery import signals
from django.db import connections

from notifications import sweeper


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
