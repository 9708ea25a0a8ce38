"""The environment in which peers are measured: beside ours, never in it, so that nothing of theirs is a dependency."""

import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIVE = [
    "channels==4.3.2",
    "channels-redis==4.3.0",
    "django==5.2.19",
    "redis==8.1.0",
    "uvicorn==0.54.0",
    "websockets==17.4",
]


@cache
def peers_python() -> Path:
    """Return the interpreter of var/bench/venv, with what the live hub is measured against; made where missing."""
    python = ROOT / "var/bench/venv/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
    has = subprocess.run([python, "-c", "import channels_redis, uvicorn, websockets"], capture_output=True)
    if has.returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *LIVE], check=True)
    return python
