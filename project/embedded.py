"""The whole installation in one process: server in the main thread, worker, beat and sweep in threads beside it.

SQLite is the queue, Celery's memory:// broker the doorbell: what the process forgets when it ends is no more than that
something is due, and the next sweep finds it. One such process per database: state.should_stop is Celery's own global.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from celery import beat
from celery.worker import state
from django.core.management.base import CommandError
from django.db import connection

from notifications import doorbell, rounds, stopping, sweeper
from notifications.inbox import hub
from project.asgi import application
from project.celery import app

logger = logging.getLogger(__name__)

WORKER_THREADS = 4
GRACE_SECONDS = 3  # for requests under way; sockets that stay open longer are cut
WS_MAX_BYTES = 65536  # of one frame of a client: the inbox's are far smaller, and uvicorn would buffer 16 MiB
STOP_SECONDS = 10  # for tasks under way; what they leave is taken up again when its lease is over


@contextlib.contextmanager
def only_one(var_dir: Path) -> Iterator[None]:
    """Hold `var_dir` for this process, or refuse: two workers on memory:// would not hear each other's rings."""
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "run.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"Carillon runs in {var_dir} already. Stop it first, or set VAR_DIR and PORT to have a second one."
            ) from None
        yield


def listen(host: str, port: int) -> socket.socket:
    """Take the address before any work is done for it."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno or 0).lower()
        raise CommandError(
            f"Cannot serve on {host}:{port}: {reason}. Set PORT to a free one: PORT=8001 make run"
        ) from None
    return listener


def run(listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; then end everything and return."""
    app.set_default()
    app.finalize(auto=True)
    app.loader.import_default_modules()
    worker, beating, answering = _Worker(), _Beat(), _Answering()
    for thread in (worker, beating, answering):
        thread.start()
    doorbell.answer_with(answering.answer)
    sweeper.start()
    try:
        _Server(
            uvicorn.Config(
                application,
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                ws_max_size=WS_MAX_BYTES,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        ).run(sockets=[listener])
    finally:
        stopping.ask()
        beating.stop()
        worker.stop()
        sweeper.stop()
        answering.answer()
        for thread in (beating, worker, answering):
            thread.join(STOP_SECONDS)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals and keep them: uvicorn would raise them again, and end us before the worker is stopped."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        hub.bind(asyncio.get_running_loop())
        await super().startup(sockets=sockets)


class _Answering(threading.Thread):
    """Does at once what is due when a doorbell rings: no broker has to be asked for news, which it is every 20 ms.

    While it is at work, or waits for a slow provider, others' rings go to the worker's threads. What it rings for
    itself it finds itself: it goes on until nothing is due.
    """

    def __init__(self) -> None:
        super().__init__(name="answering", daemon=True)
        self._rung = threading.Event()
        self._at_work = False

    def answer(self) -> bool:
        """Let it look, unless it is at work for somebody else."""
        if self._at_work and threading.get_ident() != self.ident:
            return False
        self._rung.set()
        return True

    def run(self) -> None:
        while self._rung.wait() and not stopping.asked():
            self._at_work = True
            self._rung.clear()  # before it looks: whoever rings from now on has committed something to be found
            try:
                rounds.sweep()
            except Exception:  # a bug in one pass must not end all passes; the row is left to the sweep
                logger.exception("answering.failed")
            self._at_work = False
        connection.close()


class _Worker(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="worker", daemon=True)
        self.worker = app.WorkController(
            pool="threads",
            concurrency=WORKER_THREADS,
            hostname="embedded@localhost",
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
        )

    def run(self) -> None:
        with contextlib.suppress(SystemExit):
            self.worker.start()

    def stop(self) -> None:
        state.should_stop = 0  # type: ignore[assignment]  # the exit code, as Celery's own signal handlers set it


class _Beat(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="beat", daemon=True)
        self.service = beat.Service(app, max_interval=1, scheduler_cls=app.conf.beat_scheduler)

    def run(self) -> None:
        self.service.start()

    def stop(self) -> None:
        self.service.stop()
