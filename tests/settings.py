"""Carillon's settings under test: known keys, fast passwords, a database of its own, nothing outside this machine."""

import os

os.environ.setdefault("SECRET_KEY", "a key for tests only, of no use anywhere else, long enough for every check")
os.environ.setdefault("ENCRYPTION_KEYS", "t1:" + "A" * 43 + "=")
os.environ.setdefault("BLIND_INDEX_KEYS", "t1:" + "B" * 43 + "=")
# What the developer's shell may hold must not decide how tests end.
for _name in ("REDIS_URL", "BROKER_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "HOST", "PORT", "STATIC_ROOT"):
    os.environ.pop(_name, None)

from project.settings import *  # noqa: E402, F403
from project.settings import DATABASES, EMBEDDED, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
ALLOWED_HOSTS = ["*"]
if EMBEDDED:
    # A file, not :memory:, so that threads and transactions meet as they do in the embedded installation.
    DATABASES["default"]["TEST"] = {"NAME": None}
