"""Ending in good order: a worker that is asked to stop takes up nothing new and finishes what it has begun.

The wish is kept in memory that forked children share, since the signal reaches only the parent.
"""

import mmap

_shared = mmap.mmap(-1, 1)


def ask() -> None:
    """Ask this process and all its children, forked already or not, to take up nothing new."""
    _shared[0] = 1


def asked() -> bool:
    return _shared[0] == 1


def withdraw() -> None:
    """Let work begin again in this process."""
    _shared[0] = 0
