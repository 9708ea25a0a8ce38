"""`manage.py run` as a process: it starts, answers, refuses clearly, and ends."""

import signal
import socket
import time
from pathlib import Path

import pytest

from tests import server

pytestmark = pytest.mark.process


def test_it_serves_pages_api_and_health(carillon_server: server.Server) -> None:
    assert carillon_server.get("/livez")[0] == 200
    assert carillon_server.get("/readyz")[0] == 200
    assert carillon_server.get("/")[0] == 200
    assert carillon_server.get("/admin/login/")[0] == 200
    assert carillon_server.get("/api/v1/schema/")[0] == 200
    assert carillon_server.get("/api/v1/users")[0] == 401


def test_it_prints_what_a_newcomer_needs(carillon_server: server.Server) -> None:
    demo, printed = carillon_server.demo, carillon_server.output

    for needed in (carillon_server.url, demo["admin"]["password"], demo["live_key"], demo["test_key"], "curl -X POST"):
        assert needed in printed


def test_its_files_are_for_their_owner_alone(carillon_server: server.Server) -> None:
    for name in ("demo.json", "keys.json", "carillon.sqlite3"):
        assert (carillon_server.var_dir / name).stat().st_mode & 0o077 == 0, name


def test_a_second_one_on_the_same_directory_is_refused_in_words(carillon_server: server.Server) -> None:
    before = carillon_server.output
    second = server.launch(carillon_server.var_dir, port=server.free_port(), output="second.txt")

    assert second.process.wait(30) == 1
    assert f"Carillon runs in {carillon_server.var_dir} already" in second.output
    assert carillon_server.output == before


def test_a_taken_port_is_told_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = server.launch(tmp_path, port=port)

        assert refused.process.wait(30) == 1
    assert f"Cannot serve on 127.0.0.1:{port}: address already in use" in refused.output
    assert "Traceback" not in refused.output


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_seconds_and_starts_again_with_what_it_had(tmp_path: Path, by: signal.Signals) -> None:
    first = server.start(tmp_path)
    demo = first.demo
    started = time.monotonic()

    assert first.stop(by) == 0
    assert time.monotonic() - started < 10
    second = server.start(tmp_path)
    assert second.demo["live_key"] == demo["live_key"]
    assert second.stop() == 0


def test_killed_it_starts_again(tmp_path: Path) -> None:
    first = server.start(tmp_path)
    first.process.kill()
    first.process.wait()

    second = server.start(tmp_path)

    assert second.stop() == 0
