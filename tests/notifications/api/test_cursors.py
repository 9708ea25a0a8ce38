import base64
import json

import pytest

from tests.notifications.api.conftest import pointers

KEYS = "/api/v1/keys"  # the one list in the order of a time


@pytest.mark.parametrize(
    "cursor", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00", "soon"]
)
def test_a_cursor_of_no_time_is_refused(shop, cursor):
    text = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")

    response = shop.get(f"{KEYS}?cursor={text}")

    assert (response.status_code, pointers(response)) == (422, {"/cursor": "invalid_cursor"})
