"""Provider accounts in trouble, for tests."""

from django.db.models import F

from notifications import accounts, delivery, planning
from notifications.models import AccountState, Delivery, ProviderAccount
from notifications.providers.base import Outcome
from tests.flow import let_time_pass
from tests.notifications.given import accepted

SMTP = {"host": "mail.example.com", "from": "shop@example.com", "username": "shop", "password": "s3cret"}


class Providers:
    """What each account answers, and what it was given. Answers go round; a function is asked for each message."""

    def __init__(self):
        self.answers = {}
        self.calls = {}

    def send(self, account, messages):
        self.calls.setdefault(account.name, []).append(len(messages))
        answer = self.answers.get(account.name, Outcome.accepted())
        return [answer] * len(messages)

    def sent(self, name):
        return sum(self.calls.get(name, []))


def account(name, *, order=10, **fields):
    row = ProviderAccount.objects.create(
        **{"name": name, "provider": "smtp", "channel": "email", "options": SMTP, "order": order} | fields
    )
    accounts.forget()
    return row


def queued(user, type_, count):
    for _ in range(count):
        accepted(user, type_, channels_preferred=["email"])
    while planning.plan_due():
        continue


def work():
    while delivery.deliver_due("email"):
        continue


def clock_moves(wait):
    let_time_pass(wait)
    for name in ("opened_at", "probe_until", "throttled_until", "tokens_at"):
        AccountState.objects.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - wait})


def statuses():
    return sorted(Delivery.objects.values_list("status", flat=True))
