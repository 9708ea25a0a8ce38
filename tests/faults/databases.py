"""A database per test, copied from one that was migrated and filled once."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.server import ROOT

KEYS = {
    "SECRET_KEY": "a key for tests only, of no use anywhere else, and long enough for every check",
    "ENCRYPTION_KEYS": "t1:" + "A" * 43 + "=",
    "BLIND_INDEX_KEYS": "t1:" + "B" * 43 + "=",
}


@dataclass(frozen=True)
class Database:
    url: str

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def run(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode(), values)


@dataclass(frozen=True)
class Template:
    """What every test's database is a copy of. `api_key` is good in each."""

    server: str
    name: str
    api_key: str

    def copy(self) -> Database:
        name = f"{self.name}_{uuid4().hex[:8]}"
        _create(self.server, name, template=self.name)
        return Database(_named(self.server, name))


def make_template(server: str) -> Template:
    """Migrate and fill a new database on `server`, the URL of any database there."""
    name = f"carillon_faults_{uuid4().hex[:12]}"
    _create(server, name)
    environment = environment_of({"DATABASE_URL": _named(server, name)})
    for command in (["manage.py", "migrate", "--verbosity", "0"], ["-m", "tests.faults.seed"]):
        done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return Template(server, name, json.loads(done.stdout.splitlines()[-1])["api_key"])


def environment_of(wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a production process: nothing of ours but what it needs to run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | KEYS | {"DJANGO_SETTINGS_MODULE": "tests.faults.settings", "PYTHONUNBUFFERED": "1"} | wanted


def drop(server: str, url: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        name = sql.Identifier(urlsplit(url).path.removeprefix("/"))
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _create(server: str, name: str, template: str = "template0") -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def _named(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
