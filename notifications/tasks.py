from celery import shared_task

from notifications import housekeeping, rounds


@shared_task(name="notifications.wake", ignore_result=True)
def wake(stage: str) -> None:
    """Do what is due. The rows are the work, whoever rang: twice is as good as once."""
    rounds.sweep()


@shared_task(name="notifications.tidy", ignore_result=True)
def tidy() -> None:
    """Do a round of what keeps the tables in shape, should no worker's own timer have come to it."""
    housekeeping.tidy()
