import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from project import secrets

NAMES = ["SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEYS"]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)


def test_keys_are_made_once_and_found_again(tmp_path: Path) -> None:
    secrets.make_own(tmp_path)
    first = {name: os.environ.pop(name) for name in NAMES}
    secrets.make_own(tmp_path)

    assert {name: os.environ[name] for name in NAMES} == first


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    secrets.make_own(tmp_path)

    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_what_the_environment_sets_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "chosen")
    monkeypatch.setenv("ENCRYPTION_KEYS_FILE", str(tmp_path / "elsewhere"))
    secrets.make_own(tmp_path)

    assert os.environ["SECRET_KEY"] == "chosen"
    assert "ENCRYPTION_KEYS" not in os.environ


def test_two_first_starts_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        drafts = [tmp_path / f"{number}" for number in range(4)]
        list(pool.map(lambda draft: secrets._write_once(tmp_path / "keys.json", {"drawn by": str(draft)}), drafts))

    assert list(tmp_path.iterdir()) == [tmp_path / "keys.json"]
    assert json.loads((tmp_path / "keys.json").read_text())["drawn by"] in map(str, drafts)
