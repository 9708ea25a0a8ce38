from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from project import env

KEY = "A" * 43 + "="


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        env.text("SECRET_KEY")


def test_a_value_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("SECRET_KEY", "from the environment")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "secret"))

    assert env.text("SECRET_KEY") == "from the file"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("30s", timedelta(seconds=30)), ("10m", timedelta(minutes=10)), ("24h", timedelta(hours=24)),
     ("7d", timedelta(days=7)), ("1.5", timedelta(seconds=1.5))],
)  # fmt: skip
def test_durations_are_read_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: timedelta
) -> None:
    monkeypatch.setenv("TTL", written)

    assert env.duration("TTL", "1s") == meant


def test_a_list_of_durations_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_SCHEDULE", "0s, 5s,30s")

    assert env.durations("RETRY_SCHEDULE", "0s") == [timedelta(0), timedelta(seconds=5), timedelta(seconds=30)]


@pytest.mark.parametrize("nonsense", ["soon", "10 minutes", "-5s", "5w"])
def test_a_duration_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, nonsense: str) -> None:
    monkeypatch.setenv("TTL", nonsense)

    with pytest.raises(ImproperlyConfigured, match="TTL"):
        env.duration("TTL", "1s")


def test_a_number_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")

    with pytest.raises(ImproperlyConfigured, match="PORT"):
        env.number("PORT", 8000)


def test_keys_keep_their_order_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", f"2:{KEY},1:{KEY}")

    assert list(env.keys("ENCRYPTION_KEYS")) == ["2", "1"]


@pytest.mark.parametrize("wrong", [KEY, "1:c2hvcnQ=", f":{KEY}", "1:!!!", "1:abc", "1:"])
def test_a_key_of_another_form_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", wrong)

    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        env.keys("ENCRYPTION_KEYS")
