"""Provider accounts in the admin: what they serve, how they fare, the brakes and the test message."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from notifications import account_health, account_trials, accounts
from notifications.models import AccountState, Attempt, OutboxMessage, ProviderAccount
from notifications.providers.base import Outcome
from preferences import suppressions
from preferences.channels import CHANNELS
from preferences.consent import Origin
from preferences.models import Category, User
from preferences.suppressions import Reason, Unwanted
from project.foundation.ids import derived_id, new_id
from project.foundation.models import AuditEvent
from tests.notifications.troubled import SMTP

FORM = {"name": "main", "channel": "email", "order": "1", "enabled": "on", "option_host": "mail.example.com"}
FORM |= {"option_port": "25", "option_from": "shop@example.com", "option_connections": "8"}


@pytest.fixture(autouse=True)
def _afresh(db):
    cache.clear()
    accounts.forget()
    yield
    accounts.forget()


@pytest.fixture
def main() -> ProviderAccount:
    return ProviderAccount.objects.create(name="main", provider="smtp", channel="email", options=SMTP)


@pytest.fixture
def answers(monkeypatch):
    """What the service answers to the one message, and the message it was given."""

    class Answers:
        outcome = Outcome.accepted("250 queued")
        message = None

    def send(account, messages):
        [Answers.message] = messages
        return [Answers.outcome]

    monkeypatch.setattr(accounts, "send", send)
    return Answers


def url(name: str, account: ProviderAccount) -> str:
    return reverse(f"admin:notifications_provideraccount_{name}", args=[account.pk])


def said(response) -> str:
    return " ".join(str(each) for each in response.context["messages"])


def tried(account: ProviderAccount, outcome: str, milliseconds: int, *, ago: timedelta = timedelta(minutes=5)) -> None:
    started = datetime.now(tz=UTC) - ago
    delivery = new_id()
    Attempt.objects.create(
        id=derived_id(delivery, "attempt", 1),
        delivery_id=delivery,
        number=1,
        provider_account=account,
        started_at=started,
        finished_at=started + timedelta(milliseconds=milliseconds),
        outcome=outcome,
    )


def test_what_an_account_serves_is_set_in_its_form(desk: Client) -> None:
    Category.objects.create(key="orders", name="Orders")

    desk.post(reverse("admin:notifications_provideraccount_add") + "?provider=smtp", FORM | {"categories": ["orders"]})

    account = ProviderAccount.objects.get()
    assert (account.weight, account.categories, account.countries) == (1, ["orders"], [])
    desk.post(url("change", account), FORM | {"weight": "5", "categories": []})
    account.refresh_from_db()
    assert (account.weight, account.categories) == (5, [])


def test_a_country_that_is_none_is_refused_beside_its_field(desk: Client) -> None:
    account = ProviderAccount.objects.create(name="texts", provider="outbox", channel="sms")
    form = {"channel": "sms", "order": "1", "enabled": "on"}

    page = desk.post(url("change", account), form | {"countries": "DE, Utopia"}).content.decode()
    assert "UTOPIA: a country is written in two letters, as DE." in page

    desk.post(url("change", account), form | {"countries": "de at"})
    account.refresh_from_db()
    assert account.countries == ["AT", "DE"]


def test_health_counts_failures_of_the_last_hour_and_times_calls(main: ProviderAccount) -> None:
    for milliseconds in range(10, 200, 10):
        tried(main, "accepted", milliseconds)
    tried(main, "transient", 1000)
    tried(main, "recipient", 5)
    tried(main, "transient", 5, ago=timedelta(minutes=61))

    hour = account_health.last_hour()[main.pk]

    assert (hour.tries, hour.failed, hour.failed_percent) == (21, 1, 4.8)
    assert (hour.p50, hour.p95) == (100, 190)


def test_the_page_says_how_an_account_fares(desk: Client, main: ProviderAccount) -> None:
    tried(main, "account", 40)
    now = datetime.now(tz=UTC)
    words = "535 authentication failed"
    AccountState.objects.create(account=main, refused_at=now, refusal=words, last_error=words, last_error_at=now)

    for page in (desk.get(url("change", main)), desk.get(url("health", main))):
        text = page.content.decode()
        assert "Refused" in text
        assert "535 authentication failed" in text
        assert "1 of 1 tries failed (100.0 %)" in text
        assert "40 ms" in text
        assert "s3cret" not in text
    assert "100.0 % of 1 failed" in desk.get(reverse("admin:notifications_provideraccount_changelist")).content.decode()


def test_an_account_that_may_be_tried_again_says_so(main: ProviderAccount) -> None:
    state = AccountState(account=main, opened_at=datetime.now(tz=UTC) - timedelta(seconds=31))

    main.state = state

    assert account_health.standing(main).state == "half_open"


def test_it_is_paused_and_resumed(desk: Client, main: ProviderAccount) -> None:
    desk.post(url("pause", main))
    main.refresh_from_db()
    assert (main.enabled, main.options) == (False, SMTP)

    desk.post(url("resume", main))
    main.refresh_from_db()
    assert main.enabled
    acts = AuditEvent.objects.order_by("id").values_list("actor", "action")
    assert list(acts) == [("staff:grace", "provider_account.paused"), ("staff:grace", "provider_account.resumed")]


def test_a_test_message_goes_through_the_account_at_once(
    desk: Client, main: ProviderAccount, ada: User, answers
) -> None:
    page = desk.post(url("test", main), {"to": "ops@example.com"}, follow=True)

    assert said(page) == "It works: the message was taken as 250 queued."
    assert (answers.message.channel, answers.message.to) == ("email", "ops@example.com")
    assert answers.message.parts["subject"] == "A test from Carillon"
    event = AuditEvent.objects.get()
    assert (event.action, event.detail) == ("provider_account.tested", {"outcome": "accepted"})
    cache.clear()
    desk.post(url("test", main), {"to": "ada"})
    assert answers.message.to == "ada@example.com"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            Outcome.account("535 s3cret is no password of shop"),
            "The account was refused: 535 ••• is no password of shop",
        ),
        (Outcome.recipient("550 no such mailbox"), "The account works, and this address was refused: 550"),
        (Outcome.transient("451 later"), "It did not work this time, and surely was not sent: 451 later"),
        (Outcome.unknown("The connection broke."), "Its answer was lost, and the message may have been taken"),
        (Outcome("throttled", retry_after=30.0, error="429"), "It asks to wait 30 seconds: 429"),
    ],
)
def test_what_became_of_it_is_said_without_the_secret(desk: Client, main, answers, outcome, words) -> None:
    answers.outcome = outcome

    text = said(desk.post(url("test", main), {"to": "ops@example.com"}, follow=True))

    assert text.startswith(words)
    assert "s3cret" not in text


def test_a_secret_from_the_environment_is_not_repeated_either(main, answers, monkeypatch) -> None:
    monkeypatch.setenv("CARILLON_CREDENTIAL_SHOP", "hunter22")
    main.options = SMTP | {"password": "env:CARILLON_CREDENTIAL_SHOP"}
    answers.outcome = Outcome.account("535 hunter22 is wrong")

    assert account_trials.send(main, "ops@example.com", actor="staff:grace").words.endswith("535 ••• is wrong")


def test_nobody_is_tried_who_may_not_be(desk: Client, main: ProviderAccount, ada: User, answers) -> None:
    origin = Origin(source="receipt", actor="system")
    suppressions.suppress([Unwanted("email", "gone@example.com", Reason.BOUNCE)], origin=origin)
    User.objects.create_user("bob")

    texts = [
        said(desk.post(url("test", main), {"to": to}, follow=True)) for to in ("gone@example.com", "bob", "", "x@")
    ]

    assert texts[0] == "This address is blocked: nobody may use it."
    assert texts[1].startswith("This person has no address")
    assert texts[2] == "An address is needed."
    assert "name@example.com" in texts[3]
    assert answers.message is None


def test_an_account_is_not_tried_in_quick_succession(desk: Client, main: ProviderAccount, answers) -> None:
    desk.post(url("test", main), {"to": "ops@example.com"}, follow=True)

    again = desk.post(url("test", main), {"to": "ops@example.com"}, follow=True)

    assert said(again) == "This account was tried just now. Wait 5 seconds."
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("channel", [channel for channel in CHANNELS if channel != "in_app"])
def test_every_channel_can_be_tried(channel: str) -> None:
    to = {"email": "a@example.com", "sms": "+493012345678", "voice": "+493012345678", "push": "token"}
    to |= {"webhook": "https://example.com/hook", "chat": "jsons://example.com/hook"}
    keys = (
        '{"endpoint": "https://example.com/x", "keys": {"p256dh": "'
        + "BM"
        + "A" * 85
        + '", "auth": "'
        + "A" * 22
        + '"}}'
    )
    account = ProviderAccount.objects.create(name="any", provider="outbox", channel=channel)

    trial = account_trials.send(account, to.get(channel, keys), actor="staff:grace")

    assert trial.worked
    assert not OutboxMessage.objects.exists()
    assert not Attempt.objects.exists()


def test_staff_without_rights_act_on_nothing(porter: Client, main: ProviderAccount, answers) -> None:
    assert porter.get(url("health", main)).status_code == 403
    for act in ("pause", "resume", "try_again", "test"):
        assert porter.post(url(act, main), {"to": "ops@example.com"}).status_code == 403
    assert answers.message is None
    assert not AuditEvent.objects.exists()


def test_brakes_are_pulled_by_post_alone(desk: Client, main: ProviderAccount) -> None:
    for act in ("pause", "resume", "try_again", "test"):
        assert desk.get(url(act, main)).status_code == 405
