"""What a worker does not load: each of its processes would pay for it."""

import os
import subprocess
import sys

import pytest

LOADS = """
import sys
import project.management.commands.worker
from project.celery import app
app.loader.import_default_modules()
print(" ".join(sys.modules))
"""
PRODUCTION = {"DJANGO_SETTINGS_MODULE": "project.settings", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    command = [sys.executable, "-c", LOADS]
    done = subprocess.run(command, env=os.environ | PRODUCTION, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_a_worker_loads_the_pipeline(loaded):
    assert {"notifications.delivery", "notifications.planning", "project.worker"} <= loaded


@pytest.mark.parametrize("room", ["project.urls", "notifications.admin", "notifications.api", "notifications.pages"])
def test_a_worker_loads_no_page(loaded, room):
    assert room not in loaded


@pytest.mark.parametrize("library", ["rest_framework.views", "unfold.admin", "drf_spectacular.views", "requests"])
def test_a_worker_loads_no_library_of_pages(loaded, library):
    assert library not in loaded


@pytest.mark.parametrize("library", ["aiohttp", "apprise", "css_inline", "dkim", "httpx", "prompt_toolkit"])
def test_a_worker_loads_no_library_that_only_some_messages_need(loaded, library):
    assert library not in loaded
