"""django-notifications-hq: one notify.send to everybody, which it writes row by row."""

from django.contrib.auth.models import User
from notifications.signals import notify

from notifications.models import Notification


def prepare(people: int) -> None:
    Notification.objects.all().delete()
    User.objects.all().delete()
    User.objects.create(username="shop")
    User.objects.bulk_create(User(username=f"p{number}") for number in range(people))


def work(people: int) -> None:
    shop = User.objects.get(username="shop")
    everybody = User.objects.exclude(pk=shop.pk)
    notify.send(shop, recipient=everybody, verb="has news", description="Three things are new.")
    if Notification.objects.count() != people:
        raise AssertionError("django-notifications-hq did not tell everybody.")


def end() -> None:
    """It ends by itself."""
