"""Keeping a way free: of a worker's processes, all but one may work on bulk, or wait for one channel's providers.

So an urgent message finds a process that is not busy with bulk, and a provider that hangs never has them all.

A permit is a byte of a file without a name, opened before forking and locked by whoever has it. It ends with the
process that holds it, however that ends.
"""

import fcntl
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO

from preferences.channels import CHANNELS

_MOST = 1000  # permits of one kind: bytes of the file
_BULK = 0
_OF_CHANNEL = {channel: number for number, channel in enumerate(CHANNELS, 1)}

_file: IO[bytes] | None = None  # None: this process is not one of many
_permits = 1
_one_a_process: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


def share_among(processes: int) -> None:
    """Say, before forking, how many processes this worker will have."""
    global _file, _permits
    _file = tempfile.TemporaryFile()  # noqa: SIM115  # it stays open as long as we live
    _permits = min(max(1, processes - 1), _MOST)


def bulk() -> AbstractContextManager[bool]:
    """Take a permit to work on the bulk lane, if one is free: True. Whoever has it goes on until nothing is due."""
    return _permit(_BULK)


def channel(key: str) -> AbstractContextManager[bool]:
    """Take a permit to be with a channel's providers, if one is free: True."""
    return _permit(_OF_CHANNEL[key])


@contextmanager
def _permit(kind: int) -> Iterator[bool]:
    lock = _one_a_process[kind]
    if not lock.acquire(blocking=False):
        yield False
        return
    try:
        permit = _lock(kind)
        try:
            yield permit is not None
        finally:
            if permit is not None and _file is not None:
                fcntl.lockf(_file, fcntl.LOCK_UN, 1, permit)
    finally:
        lock.release()


def _lock(kind: int) -> int | None:
    if _file is None:
        return 0
    for permit in range(kind * _MOST, kind * _MOST + _permits):
        try:
            fcntl.lockf(_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, permit)
        except OSError:
            continue
        return permit
    return None
