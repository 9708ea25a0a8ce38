"""The settings as an operator meets them: each in a process of its own, with an environment of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
KEYS = "1:" + "A" * 43 + "="
PRODUCTION = {
    "DATABASE_URL": "postgres://carillon@db.example.org/carillon",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz",
    "ENCRYPTION_KEYS": KEYS,
    "BLIND_INDEX_KEYS": KEYS,
    "PUBLIC_URL": "https://bell.example.org",
}


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEYS"])
def test_production_refuses_to_start_without_its_keys(name: str) -> None:
    answer = _python("import django.conf; django.conf.settings.DEBUG", PRODUCTION | {name: ""})

    assert answer.returncode != 0
    assert f"Set {name} (or {name}_FILE) in the environment." in answer.stderr


def test_the_deployment_check_finds_nothing() -> None:
    answer = _manage("check", "--deploy", "--fail-level", "WARNING", environment=PRODUCTION)

    assert answer.returncode == 0, answer.stderr


def test_cookies_and_redirects_follow_the_public_address() -> None:
    names = ["SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"]
    secure = _values(names, PRODUCTION)
    plain = _values(names, PRODUCTION | {"PUBLIC_URL": "http://bell.example.org"})

    assert secure == ["__Host-sessionid", True, True, 31_536_000]
    assert plain == ["sessionid", False, False, 0]


def test_every_variable_that_settings_read_is_in_the_example() -> None:
    source = "".join((ROOT / "project" / f"{name}.py").read_text() for name in ("settings", "pipeline", "wsgi"))
    example = (ROOT / ".env.example").read_text()
    read = {word.split('"')[1] for word in source.split("env.")[1:] if "(" in word.split('"')[0]}

    assert {name for name in read if f"{name}=" not in example} == set()


def _values(names: list[str], environment: dict[str, str]) -> list[object]:
    reads = ", ".join(f"settings.{name}" for name in names)
    answer = _python(f"import json; from django.conf import settings; print(json.dumps([{reads}]))", environment)
    found: list[object] = json.loads(answer.stdout)
    return found


def _python(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return _run(["-c", code], environment)


def _manage(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return _run(["manage.py", *words], environment)


def _run(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    base = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "project.settings"}
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=base | environment, capture_output=True, text=True)
