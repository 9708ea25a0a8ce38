"""Counting the work of Python code: bytecode instructions, which no busy machine makes more of."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def count(act: Callable[[], object]) -> int:
    """Run `act` and return how many instructions of Python it took, those of what it calls included.

    Work inside C functions counts as the one instruction that calls them. Versions of Python differ by some percent.
    """
    found = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal found
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        found += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return found
