"""The I/O loop: one thread per process on which all providers talk, so that their connections stay open."""

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from notifications.providers.base import Provider

T = TypeVar("T")

_CLOSE_SECONDS = 1.0  # what each provider may take when the process ends


@dataclass
class _Kept:
    fingerprint: str
    provider: Provider


@dataclass
class _Process:
    """What belongs to one process: a fork inherits none of it, since threads and sockets do not survive forking."""

    pid: int
    loop: asyncio.AbstractEventLoop
    providers: dict[str, _Kept] = field(default_factory=dict)


_lock = threading.Lock()
_process: _Process | None = None


def run(coroutine: Coroutine[Any, Any, T], *, deadline_seconds: float) -> T:
    """Run a coroutine on the I/O loop and return its result. Raises TimeoutError when the deadline passes first.

    The deadline holds whatever the coroutine does: one that refuses to be cancelled is left behind.
    """
    future = asyncio.run_coroutine_threadsafe(coroutine, _current().loop)
    try:
        return future.result(timeout=deadline_seconds)
    except TimeoutError:
        future.cancel()
        raise


def kept_provider(name: str, fingerprint: str, make: Callable[[], Provider]) -> Provider:
    """Return this process's provider of the account `name`, made anew when its fingerprint has changed."""
    process = _current()
    with _lock:
        kept = process.providers.get(name)
        if kept is not None and kept.fingerprint == fingerprint:
            return kept.provider
        process.providers[name] = _Kept(fingerprint, make())
    if kept is not None:
        asyncio.run_coroutine_threadsafe(kept.provider.close(), process.loop)
    return process.providers[name].provider


def _current() -> _Process:
    global _process
    if _process is None or _process.pid != os.getpid():
        with _lock:
            if _process is None or _process.pid != os.getpid():
                _process = _start()
    return _process


def _start() -> _Process:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="provider-io", daemon=True).start()
    return _Process(os.getpid(), loop)


def _close_all() -> None:
    """Let the providers of a process that ends go, so that none is found open when the interpreter is half gone."""
    process = _process
    if process is None or process.pid != os.getpid():
        return
    for kept in list(process.providers.values()):
        with contextlib.suppress(Exception):  # whatever it is, nobody is left to hear of it
            run(kept.provider.close(), deadline_seconds=_CLOSE_SECONDS)


def _after_fork() -> None:
    """A lock that another thread held while forking would stay locked in the child for ever."""
    global _lock, _process
    _lock, _process = threading.Lock(), None


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork)
