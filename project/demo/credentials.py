"""Who may do everything in the demo: an admin and two keys, written to demo.json for its owner alone."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from notifications.access import keys
from notifications.access.scopes import SCOPES
from notifications.models import Caller, Mode
from preferences.models import User

ACTOR = "system"
_CALLER = "demo"
_ADMINS = ("admin", "demo-admin")  # the second, where the first is somebody's own


def path() -> Path:
    return Path(settings.VAR_DIR) / "demo.json"


def provide() -> dict[str, Any]:
    """Return the demo's credentials as they stand in demo.json; what does not work (any more) is made anew."""
    written = _read()
    with transaction.atomic():
        caller, _ = Caller.objects.get_or_create(key=_CALLER, defaults={"name": "Demo shop"})
        provided = {
            "url": settings.PUBLIC_URL,
            "admin": _admin(written.get("admin") or {}),
            "live_key": _key(caller, Mode.LIVE, written.get("live_key")),
            "test_key": _key(caller, Mode.TEST, written.get("test_key")),
        }
    _write(provided)
    return provided


def _admin(written: dict[str, str]) -> dict[str, str]:
    for username in _ADMINS:
        user = User.objects.filter(user_id=username).first()
        if user is None:
            password = secrets.token_urlsafe(12)
            User.objects.create_superuser(username, password, name="Demo admin", attributes={"demo": True})
            return {"username": username, "password": password}
        if username == written.get("username") and user.check_password(written.get("password")):
            return written
        if user.attributes.get("demo") is True:
            password = secrets.token_urlsafe(12)
            user.set_password(password)
            user.save(update_fields=["password"])
            return {"username": username, "password": password}
    raise RuntimeError(f"The users {' and '.join(_ADMINS)} are not the demo's: it has no name left for its admin.")


def _key(caller: Caller, mode: Mode, written: object) -> str:
    if isinstance(written, str):
        known = keys.check(written)
        if known is not None and known.caller_id == caller.pk and known.mode == mode and known.scopes >= set(SCOPES):
            return written
    for stale in caller.keys.filter(mode=mode, name="demo", revoked_at=None):
        keys.revoke(stale, actor=ACTOR)
    _, text = keys.issue(caller, mode, SCOPES, actor=ACTOR, name="demo")
    return text


def _read() -> dict[str, Any]:
    try:
        written = json.loads(path().read_text())
    except (OSError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}


def _write(provided: dict[str, Any]) -> None:
    """Replace the file in one step, readable by its owner alone from its first byte."""
    path().parent.mkdir(parents=True, exist_ok=True)
    fresh = path().with_name(f".demo.json.{os.getpid()}")
    with suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(provided, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path())
