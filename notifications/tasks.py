from celery import shared_task

from notifications import doorbell, rounds


@shared_task(name="notifications.wake", ignore_result=True)
def wake(stage: str) -> None:
    """Look at what is due. The rows are the work: twice is as good as once."""
    if stage == doorbell.PLAN:
        rounds.plan_all()
    else:
        rounds.deliver_all(stage)
