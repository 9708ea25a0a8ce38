from celery import shared_task

from notifications import rounds


@shared_task(name="notifications.wake", ignore_result=True)
def wake(stage: str) -> None:
    """Do what is due. The rows are the work, whoever rang: twice is as good as once."""
    rounds.sweep()
