"""The embedded installation: one process on SQLite, killed and crowded."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests import server
from tests.faults.databases import environment_of
from tests.server import ROOT

PAYLOAD = {"template_variables": {"order_id": "1", "customer_name": "Ada"}}


@pytest.mark.faults_all
def test_a_crowd_at_an_installation_on_sqlite_meets_no_error(tmp_path: Path) -> None:
    running = server.start(tmp_path / "var")
    try:
        with ThreadPoolExecutor(25) as pool:
            answers = list(pool.map(lambda number: _send(running, number).status_code, range(100)))
        assert set(answers) == {202}
    finally:
        running.stop()


def test_an_installation_on_sqlite_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    running = server.start(tmp_path / "var", LEASE_SECONDS="3", SWEEP_SECONDS="0.5")
    accepted = [_send(running, number).json()["notification_id"] for number in range(30)]
    running.stop(signal.SIGKILL)

    again = server.start(tmp_path / "var", LEASE_SECONDS="3", SWEEP_SECONDS="0.5")
    try:
        key = again.demo["live_key"]
        with httpx.Client(base_url=again.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
            for notification_id in accepted:
                _until_completed(client, notification_id)
            kept = client.get("/api/v1/outbox?channel=email&limit=200").json()["results"]
        assert sorted(row["notification_id"] for row in kept) == sorted(accepted)
    finally:
        again.stop()


@pytest.mark.faults_all
def test_a_second_process_on_sqlite_is_refused_in_words(tmp_path: Path) -> None:
    running = server.start(tmp_path / "var")
    try:
        second = server.launch(tmp_path / "var", port=server.free_port(), output="second.txt")
        assert second.process.wait(30) != 0
        assert "already" in second.output
    finally:
        running.stop()


@pytest.mark.parametrize("starts", [["-m", "celery", "-A", "project", "worker"], ["manage.py", "worker"]])
def test_a_worker_without_a_database_of_its_own_is_refused_in_words(starts: list[str], tmp_path: Path) -> None:
    command = [sys.executable, *starts, "--concurrency", "2"]
    environment = environment_of({"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "project.settings"})
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)
    except subprocess.TimeoutExpired as running:
        raise AssertionError("It runs, and no other process can reach its queue.") from running
    assert done.returncode != 0
    assert "DATABASE_URL" in done.stderr


def _send(running: server.Server, number: int) -> httpx.Response:
    return httpx.post(
        f"{running.url}/api/v1/notifications/send",
        json={"user_id": "ada", "type": "ORDER_CONFIRMATION", "channels_preferred": ["email"], "payload": PAYLOAD},
        headers={"Authorization": f"Bearer {running.demo['live_key']}", "Idempotency-Key": f"n{number}"},
        timeout=60,
    )


def _until_completed(client: httpx.Client, notification_id: str) -> None:
    for _ in range(300):
        if client.get(f"/api/v1/notifications/{notification_id}").json()["status"] == "completed":
            return
        time.sleep(0.1)
    raise AssertionError(f"{notification_id} is not completed.")
