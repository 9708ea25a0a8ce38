"""Real processes of ours, started as the Makefile starts them, and ended as the world ends them."""

import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.server import ROOT

STOP_SECONDS = 30


@dataclass
class Process:
    """One role with its children, in a process group of its own."""

    role: str
    popen: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def children(self) -> list[int]:
        """Return the pids of the processes it has started, the longest living first."""
        return sorted(_children_of(self.popen.pid))

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        self._signal_all(signal.SIGKILL)
        self.popen.wait(STOP_SECONDS)

    def freeze(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to end, as a deploy does; do not wait."""
        self.popen.send_signal(signal.SIGTERM)

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """Ask it to end, and return its exit code."""
        if self.is_running:
            self.terminate()
        return self.popen.wait(seconds)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in [self.popen.pid, *_descendants_of(self.popen.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def start(role: str, directory: Path, environment: dict[str, str], *, name: str, output: Path | None = None) -> Process:
    """Start `make web`, `live`, `worker` or `beat`: the very command, without make between it and us."""
    log = directory / f"{name}.log"
    command = _command(role, environment)
    with (output or log).open("ab") as file:
        popen = _popen(command, environment, file)
    return Process(role, popen, log, int(environment.get("PORT", "0")))


def _popen(command: list[str], environment: dict[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )


def _command(role: str, environment: dict[str, str]) -> list[str]:
    variables = [
        f"{name}={environment[name]}" for name in ("HOST", "PORT", "WORKERS", "CONCURRENCY") if name in environment
    ]
    variables.append(f"BIN={Path(sys.executable).parent}")
    printed = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", role, *variables],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return shlex.split(printed[printed.rindex("exec ") + len("exec ") :].replace("\\\n", " "))


def _descendants_of(pid: int) -> list[int]:
    return [each for child in _children_of(pid) for each in (child, *_descendants_of(child))]


def _children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    with suppress(OSError):
        return [int(child) for child in children.read_text().split()]
    return []
