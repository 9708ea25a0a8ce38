"""Production's own settings, with a queue of this run's own and providers that misbehave on demand."""

import os

from kombu import Queue

from project.settings import *  # noqa: F403
from project.settings import NOTIFICATION_PROVIDERS as _PROVIDERS

CELERY_TASK_DEFAULT_QUEUE = os.environ.get("QUEUE", "carillon")
CELERY_TASK_QUEUES = [Queue(CELERY_TASK_DEFAULT_QUEUE, no_ack=True)]
NOTIFICATION_PROVIDERS = _PROVIDERS | {
    "deadly": "tests.faults.providers.Deadly",
    "stand_in": "tests.faults.providers.StandIn",
}
CELERY_BEAT_SCHEDULE = {"plan": {"task": "notifications.wake", "schedule": 1.0, "args": ["plan"]}}
