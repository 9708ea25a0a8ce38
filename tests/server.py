"""`manage.py run` as people start it: a process of its own, with its own VAR_DIR and port."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120  # on a machine that is busy with the rest of the suite
STOP_SECONDS = 20
# What makes a production installation, or comes from the tests' own settings: the server under test has neither.
_OURS = {"DATABASE_URL", "BROKER_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEYS", "PUBLIC_URL"}


@dataclass
class Server:
    """A running installation, its demo loaded."""

    url: str
    var_dir: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def demo(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.var_dir / "demo.json").read_text())
        return found

    @property
    def output(self) -> str:
        """What it has printed."""
        return self.log.read_text()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        self.process.send_signal(by)
        return self.process.wait(STOP_SECONDS)


def start(var_dir: Path, *, port: int | None = None, **environment: str) -> Server:
    """Start an installation and return once it answers."""
    server = launch(var_dir, port=port or free_port(), **environment)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if server.get("/livez")[0] == 200:
                return server
        except OSError:
            time.sleep(0.05)
    server.process.kill()
    server.process.wait()
    raise AssertionError(f"The server did not answer within {START_SECONDS} s:\n{server.output}")


def launch(var_dir: Path, *, port: int, output: str = "output.txt", **environment: str) -> Server:
    """Start an installation without waiting for it; what it prints goes to the file `output` in `var_dir`."""
    var_dir.mkdir(parents=True, exist_ok=True)
    log = var_dir / output
    inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
    wanted = {"DJANGO_SETTINGS_MODULE": "project.settings", "HOST": "127.0.0.1", "PORT": str(port)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run"],
            cwd=ROOT,
            env=inherited | wanted | {"VAR_DIR": str(var_dir)} | environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    return Server(url=f"http://127.0.0.1:{port}", var_dir=var_dir, process=process, log=log)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
