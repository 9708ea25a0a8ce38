import asyncio
import os
import threading
import time
from uuid import uuid4

import pytest

from notifications import account_changes, accounts
from notifications.account_changes import Wanted
from notifications.accounts import Account
from notifications.models import ProviderAccount
from notifications.providers import loop
from notifications.providers.base import Message, Outcome, Provider
from notifications.providers.outbox import Outbox
from notifications.rate_limits import Rate
from project.foundation.models import AuditEvent
from project.foundation.problems import InvalidRequest

SMTP = {"host": "mail.example.com", "from": "shop@example.com", "username": "shop", "password": "s3cret"}


@pytest.fixture(autouse=True)
def _nothing_loaded(db):
    accounts.forget()
    yield
    accounts.forget()


def given_account(name: str, *, order: int = 10, **fields):
    fields = {"provider": "outbox", "channel": "email"} | fields
    return ProviderAccount.objects.create(name=name, order=order, **fields)


def messages(count: int) -> list[Message]:
    return [Message(uuid4(), "email", "ada@example.com", {"text": "Hello."}) for _ in range(count)]


def test_the_account_with_the_lowest_order_goes_first():
    given_account("second", order=20)
    given_account("first", order=10)
    given_account("off", order=1, enabled=False)
    given_account("other-channel", order=1, channel="sms")

    assert [account.name for account in accounts.of_channel("email")] == ["off", "first", "second"]
    assert [account.name for account in accounts.usable("email")] == ["first", "second"]


def test_the_outbox_stands_in_for_nobody():
    given_account("outbox", order=100)
    given_account("mail", order=10, provider="smtp", options=SMTP, enabled=False)

    assert [account.name for account in accounts.of_channel("email")] == ["mail"]


def test_the_outbox_is_taken_where_it_was_put_first():
    given_account("outbox", order=1)
    given_account("mail", order=10, provider="smtp", options=SMTP)

    assert [account.name for account in accounts.of_channel("email")] == ["outbox", "mail"]


def test_a_channel_without_an_account_has_none():
    assert accounts.of_channel("sms") == []


def test_test_mode_takes_the_built_in_outbox():
    account = accounts.of_test_mode("webhook")

    assert (account.id, account.provider, account.keeps_messages) == (None, "outbox", True)


def test_choosing_costs_one_query_in_five_seconds(django_assert_num_queries, monkeypatch):
    given_account("first")

    with django_assert_num_queries(1):
        for _ in range(100):
            accounts.of_channel("email")
    monkeypatch.setattr(accounts, "_TTL_SECONDS", 0.0)
    with django_assert_num_queries(1):
        accounts.of_channel("email")


@pytest.mark.parametrize(("stored", "per_second"), [("100/s", 100), ("", None), ("many", None)])
def test_a_rate_limit_is_read_with_its_account(stored, per_second):
    given_account("main", rate_limit=stored)

    assert accounts.of_channel("email")[0].rate == (Rate(per_second) if per_second else None)


def use(monkeypatch, provider: type[Provider]) -> Account:
    monkeypatch.setattr(accounts, "provider_classes", lambda: {provider.key: provider})
    return Account(id=1, name=f"account-{uuid4()}", provider=provider.key, channel="email", options={})


def test_a_provider_that_overruns_leaves_every_message_unknown(monkeypatch, settings):
    class Stuck(Outbox):
        async def send_many(self, messages):
            await asyncio.sleep(60)

    settings.PROVIDER_TIMEOUT_SECONDS = 0.1
    monkeypatch.setattr(accounts, "_GRACE_SECONDS", 0.1)
    account = use(monkeypatch, Stuck)
    started = time.monotonic()

    outcomes = accounts.send(account, messages(3))

    assert [outcome.kind for outcome in outcomes] == ["unknown"] * 3
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("outcomes", [[], [Outcome.accepted()] * 2])
def test_a_provider_that_miscounts_leaves_every_message_unknown(monkeypatch, outcomes):
    class Sloppy(Outbox):
        async def send_many(self, messages):
            return outcomes

    assert [outcome.kind for outcome in accounts.send(use(monkeypatch, Sloppy), messages(3))] == ["unknown"] * 3


def test_a_provider_that_crashes_leaves_every_message_unknown_and_is_loud(monkeypatch, caplog):
    class Broken(Outbox):
        async def send_many(self, messages):
            raise ZeroDivisionError

    outcomes = accounts.send(use(monkeypatch, Broken), messages(2))

    assert [outcome.kind for outcome in outcomes] == ["unknown"] * 2
    assert "ZeroDivisionError" in caplog.text


def test_unusable_options_blame_the_account_and_call_nobody():
    account = Account(id=1, name="broken", provider="smtp", channel="email", options={"port": 25})

    assert [outcome.kind for outcome in accounts.send(account, messages(2))] == ["account"] * 2


def test_a_provider_that_is_gone_blames_the_account():
    account = Account(id=1, name="gone", provider="pigeon", channel="email")

    assert [outcome.kind for outcome in accounts.send(account, messages(1))] == ["account"]


def test_an_account_keeps_its_provider_until_it_changes(monkeypatch):
    made, closed = [], threading.Event()

    class Counted(Outbox):
        def __init__(self, options, *, timeout):
            super().__init__(options, timeout=timeout)
            made.append(self)

        async def close(self):
            closed.set()

    account = use(monkeypatch, Counted)
    accounts.send(account, messages(1))
    accounts.send(account, messages(1))
    assert len(made) == 1

    loop.kept_provider(account.name, "changed", lambda: Counted({}, timeout=1))

    assert len(made) == 2
    assert closed.wait(timeout=2)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_an_io_loop_of_its_own():
    assert loop.run(asyncio.sleep(0, "parent"), deadline_seconds=5) == "parent"

    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if loop.run(asyncio.sleep(0, "child"), deadline_seconds=5) == "child" else 1)
        finally:
            os._exit(2)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_an_option_may_name_an_environment_variable(monkeypatch, settings):
    settings.CREDENTIAL_ENV_NAMES = ["SHOP_PORT"]
    seen = []

    class Curious(accounts.provider_class("smtp")):
        def __init__(self, options, *, timeout):
            super().__init__(options, timeout=timeout)
            seen.append((options.password, options.port))

        async def send_many(self, messages):
            return [Outcome.accepted() for _ in messages]

    account = use(monkeypatch, Curious)
    options = SMTP | {"password": "env:CARILLON_CREDENTIAL_SHOP", "port": "env:SHOP_PORT"}
    account = Account(id=1, name=account.name, provider="smtp", channel="email", options=options)

    assert accounts.send(account, messages(1))[0].kind == "account"
    monkeypatch.setenv("CARILLON_CREDENTIAL_SHOP", "from outside")
    monkeypatch.setenv("SHOP_PORT", "2525")

    assert accounts.send(account, messages(1))[0].kind == "accepted"
    assert seen == [("from outside", 2525)]


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "ENCRYPTION_KEYS",
        "DATABASE_URL",
        "POSTGRES_PASSWORD",
        "PGPASSWORD",
        "CELERY_BROKER_URL",
        "a b",
        "",
    ],
)
def test_an_option_cannot_name_the_keys_that_everything_rests_on(name, settings):
    settings.CREDENTIAL_ENV_NAMES = [name]

    with pytest.raises(InvalidRequest) as refused:
        account_changes.save(
            "main", Wanted(provider="smtp", options=SMTP | {"username": f"env:{name}"}), actor="staff:root"
        )

    assert [fault.pointer for fault in refused.value.errors] == ["/options/username"]


@pytest.mark.parametrize(
    ("prefix", "name"), [("CARILLON_CREDENTIAL_", "HOME"), ("CARILLON_CREDENTIAL_", "SMTP_PASSWORD"), ("", "HOME")]
)
def test_an_option_names_no_variable_that_was_not_set_aside(prefix, name, settings, monkeypatch):
    settings.CREDENTIAL_ENV_PREFIX = prefix
    monkeypatch.setenv(name, "of somebody else")
    options = SMTP | {"password": f"env:{name}"}

    with pytest.raises(InvalidRequest) as refused:
        account_changes.save("main", Wanted(provider="smtp", options=options), actor="staff:root")

    (fault,) = refused.value.errors
    assert fault.pointer == "/options/password"
    assert "CREDENTIAL_ENV_NAMES" in fault.message
    (outcome,) = accounts.send(
        Account(id=1, name="main", provider="smtp", channel="email", options=options), messages(1)
    )
    assert (outcome.kind, "of somebody else" in outcome.error) == ("account", False)


def test_a_change_is_noticed_at_once_by_its_own_process(django_capture_on_commit_callbacks):
    assert accounts.usable("email") == []

    with django_capture_on_commit_callbacks(execute=True):
        account, created = account_changes.save("main", Wanted(provider="smtp", options=SMTP), actor="staff:root")

    assert created
    assert accounts.usable("email")[0].name == "main"
    with django_capture_on_commit_callbacks(execute=True):
        account_changes.remove(account, actor="staff:root")
    assert accounts.usable("email") == []


def test_a_credential_left_out_stays_what_it_was():
    account_changes.save("main", Wanted(provider="smtp", options=SMTP), actor="staff:root")
    without = {name: value for name, value in SMTP.items() if name != "password"}

    for options in (without, without | {"password": None}, without | {"password": "•••"}):
        account, created = account_changes.save("main", Wanted(provider="smtp", options=options), actor="staff:root")
        assert not created
        assert account.options["password"] == "s3cret"

    account, _ = account_changes.save(
        "main", Wanted(provider="smtp", options=SMTP | {"password": ""}), actor="staff:root"
    )
    assert account.options["password"] == ""


def test_a_change_is_on_the_record_without_its_values():
    account_changes.save("main", Wanted(provider="smtp", options=SMTP), actor="staff:root")
    account_changes.save("main", Wanted(provider="smtp", options=SMTP | {"password": "new"}), actor="staff:root")

    line = AuditEvent.objects.filter(target="provider_account:main").order_by("-id")[0]
    assert (line.actor, line.action, line.detail) == ("staff:root", "provider_account.saved", {"changed": ["password"]})
