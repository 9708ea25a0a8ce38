import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from notifications import acceptance
from notifications.access import keys
from notifications.models import ApiKey, Caller, Notification, OutboxMessage, ProviderAccount
from preferences.models import Category, User
from project.foundation.models import AuditEvent
from templates_app.models import Type
from tests.flow import run_until_idle

pytestmark = pytest.mark.django_db
OURS = [
    model
    for model in admin.site._registry
    if model.__module__.split(".")[0] in {"preferences", "notifications", "project"}
]


@pytest.fixture
def order() -> Type:
    orders = Category.objects.create(key="orders", name="Orders")
    return Type.objects.create(key="ORDER", name="Order", category=orders)


def tell(user: User, type_: Type, **payload: object) -> Notification:
    request = acceptance.Request(user=user, type=type_, payload={"title": "Hello", "body": "There", **payload})
    notification = acceptance.accept(request).notification
    run_until_idle()
    return notification


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_opens_for_those_with_rights_only(desk: Client, porter: Client, model: type) -> None:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

    assert desk.get(url).status_code == 200
    assert porter.get(url).status_code == 403


def test_the_first_page_counts_the_day_and_names_what_needs_somebody(desk: Client, ada: User, order: Type) -> None:
    tell(ada, order)

    page = desk.get("/admin/").content.decode()

    assert "Asked for" in page
    assert "No provider account for SMS" in page


def test_the_first_page_tells_nothing_to_those_without_rights(porter: Client) -> None:
    page = porter.get("/admin/").content.decode()

    assert "Asked for" not in page
    assert "/admin/notifications/outboxmessage/" not in page


def test_a_notification_shows_its_deliveries_decisions_and_timeline(desk: Client, ada: User, order: Type) -> None:
    notification = tell(ada, order, template_variables={"items": [{"name": "Angelus"}]})

    page = desk.get(f"/admin/notifications/notification/{notification.id}/change/").content.decode()

    assert "a•••@example.com" in page
    assert "ada@example.com" not in page
    assert "Decided by:" in page
    assert "Delivered" in page
    assert "name Angelus" in page


@pytest.mark.parametrize("page", ["notification", "outboxmessage"])
def test_what_history_says_is_escaped(desk: Client, ada: User, order: Type, page: str) -> None:
    notification = tell(ada, order, title="<script>alert(1)</script>")
    ids = {"notification": notification.id, "outboxmessage": OutboxMessage.objects.get().id}

    shown = desk.get(f"/admin/notifications/{page}/{ids[page]}/change/").content.decode()

    assert "<script>alert(1)" not in shown


def test_a_mail_is_shown_in_a_frame_that_runs_and_fetches_nothing(desk: Client, ada: User, order: Type) -> None:
    tell(ada, order)
    message = OutboxMessage.objects.get()

    page = desk.get(f"/admin/notifications/outboxmessage/{message.id}/change/").content.decode()
    frame = desk.get(f"/admin/notifications/outboxmessage/{message.id}/frame/")

    assert "<iframe" in page and " sandbox " in page
    assert frame.content.decode() == message.parts["html"]
    assert "default-src 'none'" in frame["Content-Security-Policy"]
    assert "sandbox" in frame["Content-Security-Policy"]
    assert "script-src" not in frame["Content-Security-Policy"]


def test_a_mail_is_shown_with_its_files_and_their_names_are_escaped(desk: Client, ada: User, order: Type) -> None:
    tell(ada, order)
    message = OutboxMessage.objects.get()
    url = f"/admin/notifications/outboxmessage/{message.id}/change/"
    assert "Attachments" not in desk.get(url).content.decode()
    message.attachments = [{"filename": "<b>.pdf", "content_type": "application/pdf", "size": 204800}]
    message.save()

    page = desk.get(url).content.decode()

    assert "Attachments" in page and "&lt;b&gt;.pdf" in page and "<b>.pdf" not in page
    assert "application/pdf, 200.0\u00a0KB" in page


def test_views_of_our_own_check_rights_too(porter: Client, client: Client, ada: User, order: Type) -> None:
    notification = tell(ada, order)
    message = OutboxMessage.objects.get()
    urls = [
        f"/admin/notifications/notification/{notification.id}/change/",
        f"/admin/notifications/outboxmessage/{message.id}/change/",
        f"/admin/notifications/outboxmessage/{message.id}/frame/",
        "/admin/notifications/apikey/add/",
        "/admin/notifications/provideraccount/add/",
        "/admin/notifications/provideraccount/add/?provider=smtp",
    ]

    assert [porter.get(url).status_code for url in urls] == [403] * len(urls)
    assert {client.get(url).status_code for url in urls} == {302}


def test_history_cannot_be_changed(desk: Client, ada: User, order: Type) -> None:
    notification = tell(ada, order)

    assert desk.get("/admin/notifications/notification/add/").status_code == 403
    assert desk.post(f"/admin/notifications/notification/{notification.id}/delete/").status_code == 403


def test_a_key_is_shown_once_and_works(desk: Client) -> None:
    caller = Caller.objects.create(key="shop", name="Shop")
    form = {"caller": caller.pk, "mode": "live", "name": "Till", "scopes": ["send", "read"]}

    page = desk.post("/admin/notifications/apikey/add/", form).content.decode()

    key = ApiKey.objects.get()
    text = page.split("<code>")[1].split("</code>")[0]
    credentials = keys.check(text)
    assert credentials is not None and credentials.scopes == {"send", "read"}
    assert text not in desk.get(f"/admin/notifications/apikey/{key.id}/change/").content.decode()
    assert AuditEvent.objects.get().actor == "staff:grace"


def test_a_key_is_revoked_by_a_post(desk: Client) -> None:
    caller = Caller.objects.create(key="shop", name="Shop")
    key, text = keys.issue(caller, "live", ["send"], actor="system")

    assert desk.get(f"/admin/notifications/apikey/{key.id}/revoke/").status_code == 403
    assert keys.check(text) is not None
    desk.post(f"/admin/notifications/apikey/{key.id}/revoke/")

    key.refresh_from_db()
    assert key.revoked_at is not None


SMTP = {
    "name": "main",
    "channel": "email",
    "order": 1,
    "enabled": "on",
    "option_host": "mail.example.com",
    "option_port": 2525,
    "option_username": "carillon",
    "option_password": "hunter2",
    "option_security": "none",
    "option_connections": 2,
    "option_from": "Shop <shop@example.com>",
}


def test_an_accounts_form_follows_its_provider(desk: Client) -> None:
    assert "smtp" in desk.get("/admin/notifications/provideraccount/add/").content.decode()

    response = desk.post("/admin/notifications/provideraccount/add/?provider=smtp", SMTP)

    assert response.status_code == 302
    account = ProviderAccount.objects.get(name="main")
    assert account.options["host"] == "mail.example.com"
    assert account.options["port"] == 2525
    assert account.options["password"] == "hunter2"


def test_a_credential_is_never_shown_and_stays_when_left_empty(desk: Client) -> None:
    desk.post("/admin/notifications/provideraccount/add/?provider=smtp", SMTP)
    account = ProviderAccount.objects.get(name="main")
    url = f"/admin/notifications/provideraccount/{account.pk}/change/"

    assert "hunter2" not in desk.get(url).content.decode()
    assert desk.post(url, SMTP | {"option_password": "", "option_connections": 3}).status_code == 302

    account.refresh_from_db()
    assert (account.options["password"], account.options["connections"]) == ("hunter2", 3)
    assert "hunter2" not in str(list(AuditEvent.objects.values()))


def test_a_credential_does_not_follow_to_another_host(desk: Client) -> None:
    desk.post("/admin/notifications/provideraccount/add/?provider=smtp", SMTP)
    account = ProviderAccount.objects.get(name="main")
    url = f"/admin/notifications/provideraccount/{account.pk}/change/"

    response = desk.post(url, SMTP | {"option_password": "", "option_host": "other.example.com"})

    assert "option_password" in response.context["adminform"].form.errors
    account.refresh_from_db()
    assert account.options["host"] == "mail.example.com"


def test_a_wrong_option_is_told_beside_its_field(desk: Client) -> None:
    response = desk.post("/admin/notifications/provideraccount/add/?provider=smtp", SMTP | {"option_from": "nobody"})

    assert response.status_code == 200
    assert "option_from" in response.context["adminform"].form.errors
    assert not ProviderAccount.objects.exists()


def test_a_longer_list_costs_no_more_queries(
    desk: Client, ada: User, order: Type, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        acceptance.accept(acceptance.Request(user=ada, type=order, payload={"title": "Hello"}))
    run_until_idle()

    for page in ("notification", "outboxmessage", "inboxitem"):
        with django_assert_max_num_queries(12):
            desk.get(f"/admin/notifications/{page}/")


def test_a_persons_page_shows_what_they_were_told_to_those_who_may_know(
    desk: Client, porter: Client, ada: User, order: Type
) -> None:
    tell(ada, order)
    url = reverse("admin:preferences_user_change", args=[ada.pk])
    User.objects.get(user_id="porter").user_permissions.add(Permission.objects.get(codename="view_user"))

    assert "What they were told" in desk.get(url).content.decode()
    assert "What they were told" not in porter.get(url).content.decode()


def test_an_empty_list_says_what_will_stand_there_and_a_search_without_hits_leads_back(desk: Client) -> None:
    url = reverse("admin:notifications_notification_changelist")

    assert "What your services ask for by the API stands here" in desk.get(url).content.decode()
    assert "Nothing fits" in desk.get(f"{url}?q=nobody").content.decode()


def test_times_are_written_with_their_zone(desk: Client, ada: User) -> None:
    page = desk.get(reverse("admin:preferences_user_changelist")).content.decode()

    assert re.search(r"\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC", page)


def test_the_list_of_provider_accounts_says_how_each_fares(desk: Client, ada: User) -> None:
    page = desk.get(reverse("admin:notifications_provideraccount_changelist")).content.decode()

    assert "In use" in page


def test_a_provider_accounts_missing_option_is_told_once(desk: Client) -> None:
    url = reverse("admin:notifications_provideraccount_add")

    page = desk.post(f"{url}?provider=smtp", {"name": "main", "channel": "email", "order": "1"}).content.decode()

    assert "This field is required." in page
    assert "This option is required." not in page


def test_a_provider_account_is_mended_in_its_form_and_keeps_what_was_left_alone(desk: Client) -> None:
    options = {"host": "127.0.0.1", "port": 2599, "password": "hunter2"}
    account = ProviderAccount.objects.create(name="main", provider="smtp", channel="email", options=options)
    url = reverse("admin:notifications_provideraccount_change", args=[account.pk])
    page = desk.get(url)
    assert "It takes what it serves." in page.content.decode()
    shown = page.context["adminform"].form
    given = {name: "" if field.initial is None else field.initial for name, field in shown.fields.items()}

    answer = desk.post(url, {**given, "channel": "email", "order": "1", "option_username": "shop"})

    assert answer.status_code == 302
    account.refresh_from_db()
    assert account.options["username"] == "shop"
    assert account.options["password"] == "hunter2"
    assert "security" not in account.options
