import pytest

from notifications.access.scopes import SCOPES
from tests.notifications.api.conftest import service

ROUTES = [
    ("GET", "/api/v1/notifications", "read"),
    ("GET", "/api/v1/keys", "admin"),
    ("POST", "/api/v1/notifications/send", "send"),
]


@pytest.mark.parametrize("method,path,scope", ROUTES)
def test_a_route_opens_to_its_scope_and_to_no_other(caller, method, path, scope):
    def status(scopes):
        each = service(caller, scopes=scopes)
        return (each.get(path) if method == "GET" else each.post(path, {})).status_code

    assert status([scope]) != 403
    assert status([other for other in SCOPES if other != scope]) == 403


def test_a_method_that_is_not_there_is_405(shop):
    response = shop.delete("/api/v1/notifications")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in response["Allow"]
