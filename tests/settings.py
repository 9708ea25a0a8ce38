"""Carillon's settings under test: known keys, fast passwords, a database of its own, nothing outside this machine."""

import os
import tempfile

_scratch = tempfile.TemporaryDirectory(prefix="carillon-tests-")
# What the developer's shell may hold must not decide how tests end.
for _name in ("REDIS_URL", "BROKER_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "HOST", "PORT", "STATIC_ROOT", "LOG_LEVEL"):
    os.environ.pop(_name, None)
os.environ |= {
    "SECRET_KEY": "a key for tests only, of no use anywhere else, and long enough for every check",
    "ENCRYPTION_KEYS": "t1:" + "A" * 43 + "=",
    "BLIND_INDEX_KEYS": "t1:" + "B" * 43 + "=",
    "VAR_DIR": _scratch.name,
}

from project.settings import *  # noqa: E402, F403
from project.settings import DATABASES, EMBEDDED  # noqa: E402

ALLOWED_HOSTS = ["*"]
DOORBELLS = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if EMBEDDED:
    # A file, not memory: threads and transactions then meet each other as they do in the embedded installation.
    DATABASES["default"]["TEST"] = {"NAME": f"{_scratch.name}/test.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA busy_timeout=20000"
    )
else:
    # A name of its own, so that two runs on one server do not meet.
    DATABASES["default"]["TEST"] = {"NAME": f"test_carillon_{os.getpid()}"}
