import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from preferences.models import User
from project.foundation.models import AuditEvent
from templates_app import publishing, rendering, sms
from templates_app.models import Template, Type
from tests.templates_app.conftest import SCHEMA, draft

NEW = {"channel": "sms", "locale": "en", "parts": {"text": "Now on its way: {{ order_id }}"}}


def staff(*permissions: str) -> Client:
    user = User.objects.create_user(f"mia-{'-'.join(permissions)}", "secret", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(enforce_csrf_checks=False)
    client.force_login(user)
    return client


@pytest.fixture
def author(db: None) -> Client:
    return staff("view_template", "change_template", "add_template")


@pytest.fixture
def publisher(db: None) -> Client:
    return staff("view_template", "change_template", "change_templateversion")


@pytest.fixture
def reader(db: None) -> Client:
    return staff("view_template")


def post(client: Client, template: Template, act: str, body: Any) -> Any:
    path = f"/admin/templates_app/template/{template.pk}/{act}/"
    return client.post(path, json.dumps(body), content_type="application/json")


def data_of(page: Any) -> Any:
    return page.context["editor"]


def test_a_marketer_edits_publishes_and_the_next_send_says_it(
    publisher: Client, template: Template, order_shipped: Type
) -> None:
    publishing.publish(template, actor="t")

    page = publisher.get(f"/admin/templates_app/template/{template.pk}/change/")
    saved = post(publisher, template, "draft", {"name": "Shipped", "contents": [NEW]})
    published = post(publisher, template, "publish", {"name": "Shipped", "contents": [NEW]})

    assert data_of(page)["contents"][0]["parts"]["text"].startswith("Order {{ order_id }}")
    assert saved.json() == {"version": 2, "published": False, "faults": []}
    assert published.json() == {"version": 2, "published": True, "faults": []}
    template.refresh_from_db()
    assert (template.name, template.published.number) == ("Shipped", 2)  # type: ignore[union-attr]
    contents = rendering.version_contents(template.published_id)  # type: ignore[arg-type]
    said = rendering.render(contents, channel="sms", locale="", timezone="", variables={"order_id": "A-17"})
    assert said.parts == {"text": "Now on its way: A-17"}
    assert AuditEvent.objects.filter(action="template.published").latest("id").actor.startswith("staff:mia")


def test_what_cannot_be_published_is_kept_and_its_faults_are_placed(
    publisher: Client, template: Template, order_shipped: Type
) -> None:
    broken = {"channel": "push", "locale": "en", "parts": {"title": "a\n{{ nope }}", "body": "x"}}

    answer = post(publisher, template, "publish", {"name": "Shipped", "contents": [NEW, broken]})

    assert answer.status_code == 422
    (fault,) = answer.json()["faults"]
    assert (fault["channel"], fault["locale"], fault["part"], fault["line"]) == ("push", "en", "title", 2)
    assert template.versions.get().contents.count() == 2
    template.refresh_from_db()
    assert template.published is None


def test_the_preview_is_what_would_be_sent(reader: Client, template: Template, order_shipped: Type) -> None:
    body = {**NEW, "variables": SCHEMA["examples"][0], "type": "ORDER_SHIPPED"}

    answer = post(reader, template, "preview", body).json()

    assert answer["parts"] == {"text": "Now on its way: A-17"}
    assert answer["faults"] == []
    assert answer["size"] == {"units": 20, "segments": 1, "unicode": False}


def test_the_preview_names_every_fault(reader: Client, template: Template) -> None:
    body = {"channel": "push", "locale": "en", "parts": {"title": "{{ a }}", "body": "{% if %}"}, "variables": {}}

    answer = post(reader, template, "preview", body).json()

    assert answer["parts"] == {}
    assert [(fault["part"], fault["code"]) for fault in answer["faults"]] == [
        ("title", "missing_variable"),
        ("body", "invalid_template"),
    ]


def test_the_preview_escapes_sample_data_in_html(reader: Client, template: Template) -> None:
    parts = {"subject": "x", "html": "<p>{{ name }}</p>"}
    body = {"channel": "email", "locale": "en", "parts": parts, "variables": {"name": "<img onerror=1>"}}

    assert "&lt;img onerror=1&gt;" in post(reader, template, "preview", body).json()["parts"]["html"]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"channel": "sms"},
        {**NEW, "variables": []},
        {**NEW, "variables": {}, "x": 1},
        {**NEW, "locale": 1},
    ],
)
def test_a_bad_request_of_the_page_is_answered_in_words(reader: Client, template: Template, body: Any) -> None:
    answer = post(reader, template, "preview", body)

    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_a_preview_in_an_odd_locale_or_channel_does_no_harm(reader: Client, template: Template) -> None:
    assert post(reader, template, "preview", {**NEW, "locale": "??", "variables": {"order_id": 1}}).status_code == 200
    assert post(reader, template, "preview", {**NEW, "channel": "fax", "variables": {}}).json()["parts"] == {}


@pytest.mark.parametrize(
    ("permissions", "may"),
    [
        ([], {}),
        (["view_template"], {"preview"}),
        (["view_template", "change_template"], {"preview", "draft"}),
        (["view_template", "change_templateversion"], {"preview"}),
        (["view_template", "change_template", "change_templateversion"], {"preview", "draft", "publish"}),
    ],
)
def test_each_act_needs_its_own_right(template: Template, permissions: list[str], may: set[str]) -> None:
    client = staff(*permissions)

    for act in ("preview", "draft", "publish"):
        body = {**NEW, "variables": {"order_id": 1}} if act == "preview" else {"name": "x", "contents": [NEW]}
        assert (post(client, template, act, body).status_code == 200) == (act in may), act


def test_nobody_from_outside_gets_in(client: Client, template: Template) -> None:
    User.objects.create_user("ada", "secret")
    client.force_login(User.objects.get(user_id="ada"))

    for act in ("preview", "draft", "publish"):
        assert post(client, template, act, {}).status_code == 302
    assert client.get(f"/admin/templates_app/template/{template.pk}/change/").status_code == 302


def test_the_pages_own_requests_need_a_csrf_token(template: Template) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root", "secret"))

    assert post(client, template, "draft", {"name": "x", "contents": []}).status_code == 403


def test_a_get_changes_nothing(publisher: Client, template: Template) -> None:
    for act in ("preview", "draft", "publish"):
        assert publisher.get(f"/admin/templates_app/template/{template.pk}/{act}/").status_code == 405


def test_an_author_sees_no_publish_button(author: Client, publisher: Client, template: Template) -> None:
    path = f"/admin/templates_app/template/{template.pk}/change/"

    assert b'id="ed-publish"' not in author.get(path).content
    assert b'id="ed-publish"' in publisher.get(path).content


def test_an_earlier_version_is_only_read(publisher: Client, template: Template, order_shipped: Type) -> None:
    publishing.publish(template, actor="t")
    draft("order_shipped", ("sms", "en", NEW["parts"]))  # type: ignore[arg-type]

    page = publisher.get(f"/admin/templates_app/template/{template.pk}/change/?version=1")

    assert data_of(page)["writable"] is False
    assert b'id="ed-save"' not in page.content
    assert publisher.get(f"/admin/templates_app/template/{template.pk}/change/?version=9").status_code == 404
    assert publisher.get(f"/admin/templates_app/template/{template.pk}/change/?version=x").status_code == 404


def test_a_template_that_holds_markup_cannot_break_the_page(author: Client, template: Template) -> None:
    draft("order_shipped", ("sms", "en", {"text": "</script><script>alert(1)</script>"}))

    page = author.get(f"/admin/templates_app/template/{template.pk}/change/").content.decode()

    assert "<script>alert(1)" not in page


def test_a_new_template_is_named_and_then_written(author: Client) -> None:
    answer = author.post("/admin/templates_app/template/add/", {"name": "Welcome", "key": "welcome"})
    taken = author.post("/admin/templates_app/template/add/", {"name": "Preview", "key": "preview"})

    template = Template.objects.get()
    assert answer["Location"] == f"/admin/templates_app/template/{template.pk}/change/"
    assert author.get(answer["Location"]).status_code == 200
    assert taken.status_code == 200


def test_the_list_shows_what_one_needs(author: Client, template: Template, order_shipped: Type) -> None:
    page = author.get("/admin/templates_app/template/").content.decode()

    assert "Order shipped" in page
    assert "SMS" in page


def test_what_was_published_cannot_be_deleted(template: Template, order_shipped: Type) -> None:
    publishing.publish(template, actor="t")
    client = Client()
    client.force_login(User.objects.create_superuser("root", "secret"))

    client.post(f"/admin/templates_app/template/{template.pk}/delete/", {"post": "yes"})

    assert Template.objects.filter(pk=template.pk).exists()


@pytest.mark.parametrize(
    ("text", "segments", "unicode"),
    [("a" * 160, 1, False), ("a" * 161, 2, False), ("€" * 81, 2, False), ("я" * 70, 1, True), ("😀" * 36, 2, True)],
)
def test_text_messages_are_counted_as_networks_do(text: str, segments: int, unicode: bool) -> None:
    size = sms.size(text)

    assert (size.segments, size.unicode) == (segments, unicode)
