"""The embedded installation's own keys, made once and kept in VAR_DIR, readable by its owner alone."""

import base64
import json
import os
import secrets
import tempfile
from pathlib import Path


def make_own(var_dir: Path) -> None:
    """Put SECRET_KEY, ENCRYPTION_KEYS and BLIND_INDEX_KEYS into the environment, from `var_dir`/keys.json.

    What the environment already sets wins. The file is made (mode 0600) where there is none: losing it loses
    everything that is encrypted, so it belongs in every backup.
    """
    path = var_dir / "keys.json"
    if not path.exists():
        var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, {name: _new(name) for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEYS")})
    for name, value in json.loads(path.read_text()).items():
        if not os.environ.get(name) and not os.environ.get(f"{name}_FILE"):
            os.environ[name] = value


def _new(name: str) -> str:
    if name == "SECRET_KEY":
        return secrets.token_urlsafe(50)
    return "1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def _write_once(path: Path, values: dict[str, str]) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix="keys.")  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails if another process was first: its keys are the ones to use
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
