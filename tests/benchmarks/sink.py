"""The mail server that everybody sends to: sink.c, compiled when first needed. It counts each recipient's mails."""

import array
import hashlib
import mmap
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.harness import VAR

_SOURCE = Path(__file__).with_name("sink.c")
_HEADER = 32  # bytes: four uint64
_PEOPLE = 4 << 20
NAME = "sink.c (one epoll thread, PIPELINING, CHUNKING, counts each recipient's mails)"


class NoCompiler(RuntimeError):
    """Neither cc nor gcc is here, so that the sink cannot be made."""


@dataclass(frozen=True)
class Mail:
    """A mail as it came: `person` is N of p<N>@example.com."""

    person: int
    content: bytes  # as it was before any dots were stuffed, without the final one


class Sink:
    """A running sink. Recipients are p<N>@…; the mails of those below `keep` can be read again."""

    def __init__(self, *, delay_ms: float = 0, keep: int = 0) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="carillon-sink-")
        self._counts = Path(self._directory.name) / "counts"
        self._kept = Path(self._directory.name) / "mails"
        command = [str(_compiled()), str(self._counts), str(delay_ms), str(self._kept), str(keep)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        with self._counts.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    @property
    def messages(self) -> int:
        return self._header()[0]

    @property
    def connections(self) -> int:
        return self._header()[2]

    @property
    def strangers(self) -> int:
        """Mails to addresses that are no p<N>@…"""
        return self._header()[3]

    def reset(self) -> None:
        """Forget the counts. Nobody may be sending."""
        self._map[:] = bytes(len(self._map))
        self._kept.write_bytes(b"")

    def of_each(self, people: int) -> "array.array[int]":
        """Return how many mails each of the first `people` got."""
        found = array.array("H")
        found.frombytes(self._map[_HEADER : _HEADER + 2 * min(people, _PEOPLE)])
        return found

    def differing(self, expected: Sequence[int]) -> int:
        """Return how many people got another number of mails than expected: one too many, or one that is missing."""
        found = self.of_each(len(expected))
        return self.strangers + sum(got != due for got, due in zip(found, expected, strict=True))

    def kept(self) -> list[Mail]:
        content, found = self._kept.read_bytes(), []
        while content:
            head, _, content = content.partition(b"\n")
            person, octets, way = head.split()
            mail, content = content[: int(octets)], content[int(octets) :]
            unstuffed = mail if way == b"B" else mail.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
            found.append(Mail(int(person), unstuffed))
        return found

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()
        self._map.close()
        self._directory.cleanup()

    def _header(self) -> tuple[int, ...]:
        return struct.unpack("4Q", self._map[:_HEADER])


def _compiled() -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompiler("The benchmarks' mail server is C: install gcc.")
    path = VAR / f"sink-{hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:12]}"
    if not path.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-o", str(path), str(_SOURCE)], check=True)
    return path
