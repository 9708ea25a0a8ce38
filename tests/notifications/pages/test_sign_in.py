import re
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.test import Client

from notifications import accounts
from notifications.models import Notification, OutboxMessage, ProviderAccount
from notifications.pages import sign_in
from preferences import contact_points
from preferences.models import User
from project.foundation import counters
from tests.flow import run_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(sign_in, "ANSWER_SECONDS", 0)


@pytest.fixture
def ada() -> User:
    user = User.objects.create_user("ada", name="Ada Lovelace")
    contact_points.add(user, channel="email", address="ada@example.com")
    ProviderAccount.objects.create(name="outbox-email", provider="outbox", channel="email")
    accounts.forget()
    return user


def ask(client: Client, identifier: str, **more: str) -> str:
    """Ask for a link as `identifier`; return what the page says without the echoed identifier."""
    response = client.post("/login/", {"identifier": identifier, **more})
    assert response.status_code == 200
    page = response.content.decode().replace(identifier, "…")
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", page)


def link_of(user: User) -> str:
    """Return the path in the newest mail to a person."""
    run_until_idle()
    mail = OutboxMessage.objects.filter(user=user).order_by("-id")[0]
    found = re.search(re.escape(settings.PUBLIC_URL) + r"(/login/\S+)", mail.parts["text"])
    assert found
    return found[1]


@pytest.mark.parametrize("identifier", ["ada", "ada@example.com", " Ada@Example.COM "])
def test_the_mailed_link_signs_in_by_a_press_of_its_button(client: Client, ada: User, identifier: str) -> None:
    client.post("/login/", {"identifier": identifier})
    link = link_of(ada)

    shown = client.get(link)
    assert "Welcome back, Ada" in shown.content.decode()
    assert "_auth_user_id" not in client.session

    pressed = client.post(link)
    assert pressed["Location"] == "/preferences/"
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_a_link_opens_once(client: Client, ada: User) -> None:
    ask(client, "ada")
    link = link_of(ada)
    assert client.post(link).status_code == 302

    again = Client().post(link)

    assert again.status_code == 410
    assert Client().get(link).status_code == 410


def test_one_use_ends_every_other_open_link(client: Client, ada: User) -> None:
    ask(client, "ada")
    first = link_of(ada)
    ask(client, "ada")
    second = link_of(ada)
    client.post(second)

    assert Client().post(first).status_code == 410


def test_a_link_ends_after_a_quarter_of_an_hour(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(client, "ada")
    link = link_of(ada)
    monkeypatch.setattr(sign_in, "LIFETIME", timedelta(seconds=-1))

    assert client.post(link).status_code == 410


def test_a_forged_link_opens_nothing(client: Client, ada: User) -> None:
    forged = signing.dumps([ada.pk, ""], key="another key", salt="notifications.sign_in")

    assert client.post(f"/login/{forged}/").status_code == 410
    assert client.post("/login/nonsense/").status_code == 410


def test_strangers_and_acquaintances_get_the_same_answer(client: Client, ada: User) -> None:
    known = ask(client, "ada")
    unknown = ask(client, "nobody")
    stranger = ask(client, "stranger@example.org")

    assert known == unknown == stranger
    assert Notification.objects.count() == 1


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}, {"is_active": False}])
def test_staff_and_closed_accounts_get_no_link(client: Client, ada: User, rights: dict[str, bool]) -> None:
    User.objects.filter(pk=ada.pk).update(**rights)

    ask(client, "ada")
    ask(client, "ada@example.com")

    assert Notification.objects.count() == 0


def test_who_became_staff_meanwhile_cannot_use_an_old_link(client: Client, ada: User) -> None:
    ask(client, "ada")
    link = link_of(ada)
    User.objects.filter(pk=ada.pk).update(is_staff=True)

    assert client.post(link).status_code == 410


def test_a_session_from_a_link_never_opens_the_admin(client: Client, ada: User) -> None:
    ask(client, "ada")
    client.post(link_of(ada))
    assert client.get("/admin/").status_code == 302

    User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)

    assert client.get("/admin/").status_code == 302


def test_a_person_gets_three_links_in_a_quarter_of_an_hour(client: Client, ada: User) -> None:
    answers = {ask(client, "ada") for _ in range(5)}

    assert len(answers) == 1
    assert Notification.objects.count() == sign_in.LINKS_PER_PERSON


def test_one_machine_cannot_ask_for_ever(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "REQUESTS_PER_IP", 3)
    for _ in range(3):
        ask(client, "nobody")

    assert client.post("/login/", {"identifier": "nobody"}).status_code == 429


@pytest.mark.parametrize(
    "next_path", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(client: Client, ada: User, next_path: str) -> None:
    ask(client, "ada", next=next_path)

    assert client.post(link_of(ada))["Location"] == "/preferences/"


def test_signing_in_leads_back_to_where_one_was_going(client: Client, ada: User) -> None:
    ask(client, "ada", next="/preferences/?from=mail")

    assert client.post(link_of(ada))["Location"] == "/preferences/?from=mail"


@pytest.mark.parametrize("identifier", ["", "   ", "\0"])
def test_an_empty_form_says_what_is_missing(client: Client, identifier: str) -> None:
    response = client.post("/login/", {"identifier": identifier})

    assert response.status_code == 422
    assert "Enter your e-mail address" in response.content.decode()


def test_the_mail_speaks_the_persons_language(client: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(locale="de")

    ask(client, "ada")
    run_until_idle()

    assert OutboxMessage.objects.get(user=ada).parts["subject"] == "Ihr Link zum Anmelden"


def test_signing_out_takes_a_post(client: Client, ada: User) -> None:
    client.force_login(ada)

    assert client.get("/logout/").status_code == 405
    client.post("/logout/")

    assert "_auth_user_id" not in client.session


def test_asking_takes_as_long_for_nobody_as_for_somebody(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "ANSWER_SECONDS", 0.5)

    for identifier in ("ada", "nobody"):
        started = time.monotonic()
        ask(client, identifier)

        assert 0.5 <= time.monotonic() - started < 1.5


def test_people_get_in_while_the_cache_forgets(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgotten(key: str) -> int:
        raise ValueError

    monkeypatch.setattr(counters.cache, "incr", forgotten)

    ask(client, "ada")

    assert Notification.objects.filter(user=ada).count() == 1
