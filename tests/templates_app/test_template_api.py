from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from preferences.models import User
from templates_app.models import Template, Type
from tests.templates_app.conftest import draft

Api = Callable[..., APIClient]
SMS = {"channel": "sms", "locale": "en", "parts": {"text": "Hello {{ user.first_name }}, {{ order_id }}"}}


def problem(response: Any, status: int = 422) -> list[tuple[str, str]]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def test_a_template_is_written_published_and_read(api: Api) -> None:
    client = api()

    made = client.put("/api/v1/templates/hello", {"name": "Hello", "layout": None, "contents": [SMS]})
    published = client.post("/api/v1/templates/hello/publish")
    again = client.put("/api/v1/templates/hello", {"name": "Hello", "contents": []})

    assert (made.status_code, published.status_code, again.status_code) == (201, 200, 200)
    assert made.json() | {"created_at": 0, "updated_at": 0} == {
        "key": "hello",
        "name": "Hello",
        "published_version": None,
        "draft_version": 1,
        "created_at": 0,
        "updated_at": 0,
        "version": 1,
        "status": "draft",
        "published_at": None,
        "contents": [SMS],
    }
    assert published.json()["status"] == "published"
    assert published.json()["published_version"] == 1
    assert (again.json()["published_version"], again.json()["draft_version"]) == (1, 2)
    assert client.get("/api/v1/templates/hello").json() == again.json()


def test_templates_are_listed_newest_first_in_pages(api: Api) -> None:
    for key in ("a", "b", "c"):
        draft(key)

    first = api().get("/api/v1/templates?limit=2").json()
    second = api().get("/api/v1/templates", {"limit": 2, "cursor": first["next"]}).json()

    assert [row["key"] for row in first["results"] + second["results"]] == ["c", "b", "a"]
    assert second["next"] is None


@pytest.mark.parametrize("path", ["/templates/none", "/templates/no%20key", "/templates/x%00y"])
def test_an_unknown_template_is_not_found(api: Api, path: str) -> None:
    assert api().get(f"/api/v1{path}").status_code == 404
    assert api().post(f"/api/v1{path}/publish").status_code == 404
    assert api().post(f"/api/v1{path}/preview", {"channel": "sms"}).status_code == 404


def test_publishing_names_every_fault(api: Api, template: Template, order_shipped: Type) -> None:
    draft("order_shipped", ("sms", "en", {"text": "{{ a }}"}), ("push", "en", {"title": "{% if %}", "body": "{{"}))

    found = problem(api().post("/api/v1/templates/order_shipped/publish"))

    assert found == [
        ("/contents/0/parts/title", "invalid_template"),
        ("/contents/0/parts/body", "invalid_template"),
        ("/contents/1/parts/text", "missing_variable"),
    ]


def test_publishing_twice_is_a_conflict(api: Api, template: Template) -> None:
    api().post("/api/v1/templates/order_shipped/publish")

    problem(api().post("/api/v1/templates/order_shipped/publish"), 409)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("/name", "required")]),
        ({"name": ""}, [("/name", "too_short")]),
        ({"name": "x", "nope": 1}, [("/nope", "unknown_field")]),
        ({"name": "x", "layout": "fancy"}, [("/layout", "not_available")]),
        ({"name": "x", "contents": [{**SMS, "variant": "digest"}]}, [("/contents/0/variant", "not_available")]),
        ({"name": "x", "contents": [{**SMS, "channel": "fax"}]}, [("/contents/0/channel", "invalid_value")]),
        ({"name": "x", "contents": [{**SMS, "locale": "??"}]}, [("/contents/0/locale", "invalid_locale")]),
        ({"name": "x", "contents": [SMS, SMS]}, [("/contents/1", "duplicate")]),
        ({"name": "x", "contents": [{**SMS, "parts": {"html": "x"}}]}, [("/contents/0/parts/html", "unknown_field")]),
        ({"name": "x", "contents": [{**SMS, "parts": {"text": 1}}]}, [("/contents/0/parts/text", "wrong_type")]),
        (
            {"name": "x", "contents": [{**SMS, "parts": {"text": "\u0000"}}]},
            [("/contents/0/parts/text", "invalid_string")],
        ),
        ({"name": "x", "contents": "x"}, [("/contents", "wrong_type")]),
        ({"name": 1, "contents": 1}, [("/name", "wrong_type"), ("/contents", "wrong_type")]),
    ],
)
def test_a_bad_template_is_refused_and_nothing_is_stored(api: Api, body: Any, found: list[tuple[str, str]]) -> None:
    assert problem(api().put("/api/v1/templates/hello", body)) == found
    assert not Template.objects.exists()


@pytest.mark.parametrize("key", ["preview", "a b", "ä", "x" * 101, "a.b"])
def test_a_bad_key_is_refused(api: Api, key: str) -> None:
    response = api().put(f"/api/v1/templates/{key}", {"name": "x"})

    assert response.status_code == (405 if key == "preview" else 422)
    assert not Template.objects.exists()


def test_a_preview_is_rendered_for_a_sample_and_for_a_real_person(
    api: Api, template: Template, order_shipped: Type
) -> None:
    User.objects.create_user("bob", name="Bob Builder", locale="de", attributes={"plan": "pro"})
    draft(
        "order_shipped", ("sms", "en", {"text": "{{ user.first_name }} {{ order_id }} {{ user.plan | default: '-' }}"})
    )
    client = api("templates", "users")

    sample = client.post("/api/v1/templates/order_shipped/preview", {"channel": "sms"})
    real = client.post(
        "/api/v1/templates/order_shipped/preview",
        {"channel": "sms", "locale": "fr", "variables": {"order_id": "B"}, "user_id": "bob", "version": 1},
    )

    assert sample.json() == {"channel": "sms", "locale": "en", "version": 1, "parts": {"text": "Ada A-17 -"}}
    assert real.json()["parts"] == {"text": "Bob B pro"}


@pytest.mark.parametrize(
    ("body", "status", "found"),
    [
        ({"channel": "sms", "variables": {}}, 422, [("/parts/text", "missing_variable")]),
        ({"channel": "fax"}, 422, [("/channel", "invalid_value")]),
        ({}, 422, [("/channel", "required")]),
        ({"channel": "sms", "user_id": "nobody"}, 422, [("/user_id", "unknown_user")]),
        ({"channel": "sms", "locale": "??"}, 422, [("/locale", "invalid_locale")]),
        ({"channel": "sms", "version": 9}, 404, []),
        ({"channel": "sms", "version": 10**30}, 404, []),
    ],
)
def test_a_bad_preview_is_refused(
    api: Api, template: Template, order_shipped: Type, body: Any, status: int, found: list[tuple[str, str]]
) -> None:
    client = api("templates", "users")

    assert problem(client.post("/api/v1/templates/order_shipped/preview", body), status) == found


def test_a_real_person_is_shown_only_to_keys_that_may_read_people(
    api: Api, template: Template, order_shipped: Type
) -> None:
    body = {"channel": "sms", "user_id": "bob"}

    response = api("templates").post("/api/v1/templates/order_shipped/preview", body)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ({"source": "Hello {{ name }}", "variables": {"name": "<Ada>"}}, "Hello <Ada>"),
        ({"source": "Hello {{ name }}", "variables": {"name": "<Ada>"}, "channel": "email"}, "Hello &lt;Ada&gt;"),
        ({"source": '"{{ name }}"', "variables": {"name": '"'}, "channel": "webhook"}, '"\\""'),
        ({"source": "[{{ name }}]", "variables": {}, "strict": False}, "[]"),
        ({"source": "{% include 'a' %}", "variables": {"x": 1}, "templates": {"a": "{{ x }}"}}, "1"),
        ({"source": "{% render 'a', x: 2 %}", "templates": {"a": "{{ x }}"}}, "2"),
        ({"source": ""}, ""),
    ],
)
def test_unsaved_source_is_rendered(api: Api, body: Any, output: str) -> None:
    response = api().post("/api/v1/templates/preview", body)

    assert (response.status_code, response.json()) == (200, {"output": output})


def test_a_fault_in_unsaved_source_says_line_and_message(api: Api) -> None:
    response = api().post("/api/v1/templates/preview", {"source": "a\n{{ name }}", "variables": {}})

    assert problem(response) == [("/source", "missing_variable")]
    assert response.json()["line"] == 2
    assert "name" in response.json()["message"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("/source", "required")]),
        (
            {"source": 1, "variables": [], "x": 1},
            [("/source", "wrong_type"), ("/variables", "wrong_type"), ("/x", "unknown_field")],
        ),
        ({"source": "x" * 262_145}, [("/source", "too_long")]),
        ({"source": "{% if %}"}, [("/source", "invalid_template")]),
        ({"source": "{% for i in (1..99999999) %}x{% endfor %}"}, [("/source", "invalid_template")]),
        ({"source": "{% include 'a' %}", "templates": {"a": "{% include 'a' %}"}}, [("/source", "invalid_template")]),
    ],
)
def test_bad_source_is_refused(api: Api, body: Any, found: list[tuple[str, str]]) -> None:
    assert problem(api().post("/api/v1/templates/preview", body)) == found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "templates"),
        ("get", "templates/a"),
        ("put", "templates/a"),
        ("post", "templates/a/publish"),
        ("post", "templates/a/preview"),
        ("post", "templates/preview"),
        ("get", "types"),
        ("put", "types/A"),
    ],
)
def test_a_key_without_the_scope_is_forbidden(api: Api, method: str, path: str) -> None:
    response = getattr(api("send", "read"), method)(f"/api/v1/{path}")

    assert response.status_code == 403


def test_half_a_surrogate_pair_is_refused(api: Api) -> None:
    body = b'{"source": "\\ud800", "variables": {"a": "\\u0000"}}'

    response = api().post("/api/v1/templates/preview", body, content_type="application/json")

    assert sorted(problem(response)) == [("/source", "invalid_string"), ("/variables/a", "invalid_string")]
