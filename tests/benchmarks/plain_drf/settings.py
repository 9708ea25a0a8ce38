"""Carillon's own settings, with the peers' app and routes beside it."""

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.benchmarks.plain_drf.apps.PlainDrfConfig"]
ROOT_URLCONF = "tests.benchmarks.plain_drf.urls"
