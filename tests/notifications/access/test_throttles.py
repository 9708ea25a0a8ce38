import pytest
from redis.exceptions import ConnectionError

from notifications.access import throttles
from project.foundation import counters
from tests.notifications.api.conftest import service

KEYS = "/api/v1/notifications"


def test_a_key_without_a_limit_is_not_counted(shop):
    response = shop.get(KEYS)

    assert response.status_code == 200
    assert "RateLimit-Limit" not in response


def test_a_limited_key_is_told_where_it_stands_and_stopped_past_its_limit(caller):
    limited = service(caller, rate_limit="2/h")

    first, second, third = (limited.get(KEYS) for _ in range(3))

    assert [r.status_code for r in (first, second, third)] == [200, 200, 429]
    assert [r["RateLimit-Remaining"] for r in (first, second, third)] == ["1", "0", "0"]
    assert {r["RateLimit-Limit"] for r in (first, second, third)} == {"2"}
    assert 1 <= int(third["RateLimit-Reset"]) <= 3600
    assert 1 <= int(third["Retry-After"]) <= 3600
    assert third.json()["code"] == "rate_limited"


def test_a_new_window_begins_at_nothing(caller, monkeypatch):
    limited = service(caller, rate_limit="1/m")
    monkeypatch.setattr(throttles.time, "time", lambda: 6000.0)
    assert [limited.get(KEYS).status_code for _ in range(2)] == [200, 429]

    monkeypatch.setattr(throttles.time, "time", lambda: 6060.0)

    assert limited.get(KEYS).status_code == 200


def test_two_keys_do_not_share_a_limit(caller):
    one, other = service(caller, rate_limit="1/h"), service(caller, rate_limit="1/h")

    assert [one.get(KEYS).status_code, other.get(KEYS).status_code] == [200, 200]


def test_errors_carry_the_headers_too(caller):
    limited = service(caller, rate_limit="5/h")

    assert limited.send({})["RateLimit-Remaining"] == "4"


def test_a_cache_that_is_away_stops_nobody(caller, monkeypatch):
    limited = service(caller, rate_limit="1/h")

    def away(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(counters.cache, "add", away)

    assert [limited.get(KEYS).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("text", ["", "5", "0/s", "5/x", "-1/s", "5/ s", "x/s", "1٣/s"])
def test_what_is_no_rate(text):
    with pytest.raises(ValueError):
        throttles.parse(text)
