"""The Celery application: what `manage.py worker` and beat run, and what web and live publish doorbells with."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Django's checks load every page there is, which a worker has no use for: `manage.py migrate` has made them by then.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("carillon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
