import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def _policy(client: Client, path: str) -> dict[str, list[str]]:
    header = client.get(path).headers["Content-Security-Policy"]
    return {words[0]: words[1:] for directive in header.split("; ") if (words := directive.split())}


@pytest.mark.parametrize("path", ["/login/", "/admin/login/", "/api/docs/", "/livez"])
def test_no_page_runs_scripts_of_others_or_lies_in_a_frame(client: Client, path: str) -> None:
    policy = _policy(client, path)

    assert policy["object-src"] == policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert "'unsafe-inline'" not in policy["script-src"]
    assert not any(source.startswith("http") or source == "*" for source in policy["script-src"])


def test_only_the_admin_may_evaluate(client: Client) -> None:
    assert "'unsafe-eval'" in _policy(client, "/admin/login/")["script-src"]
    assert "'unsafe-eval'" not in _policy(client, "/login/")["script-src"]


def test_pages_may_open_the_live_inbox(client: Client) -> None:
    assert "ws://127.0.0.1:8000" in _policy(client, "/login/")["connect-src"]
