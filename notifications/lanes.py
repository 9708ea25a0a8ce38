"""Keeping a way free for what is urgent: of a worker's processes, all but one may work on the bulk lane at a time.

A permit is a byte of a file without a name, opened before forking and locked by whoever works on bulk. It ends with the
process that holds it, however that ends.
"""

import fcntl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_file: IO[bytes] | None = None  # None: this process is not one of many
_permits = 1
_one_a_process = threading.Lock()


def share_among(processes: int) -> None:
    """Say, before forking, how many processes this worker will have."""
    global _file, _permits
    _file = tempfile.TemporaryFile()  # noqa: SIM115  # it stays open as long as we live
    _permits = max(1, processes - 1)


@contextmanager
def bulk() -> Iterator[bool]:
    """Take a permit to work on the bulk lane, if one is free: True. Whoever has it goes on until nothing is due."""
    if not _one_a_process.acquire(blocking=False):
        yield False
        return
    try:
        permit = _lock()
        try:
            yield permit is not None
        finally:
            if permit is not None and _file is not None:
                fcntl.lockf(_file, fcntl.LOCK_UN, 1, permit)
    finally:
        _one_a_process.release()


def _lock() -> int | None:
    if _file is None:
        return 0
    for permit in range(_permits):
        try:
            fcntl.lockf(_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, permit)
        except OSError:
            continue
        return permit
    return None
