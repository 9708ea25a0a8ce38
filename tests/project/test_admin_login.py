"""Guessing staff's passwords."""

import re
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client
from redis.exceptions import ConnectionError

from preferences.models import User
from project import admin_login
from project.foundation import counters

pytestmark = pytest.mark.django_db

WORDS = "Too many attempts to sign in have failed. Wait a quarter of an hour, then try again."
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def _fresh_counters(monkeypatch):
    cache.clear()
    monkeypatch.setattr(admin_login, "FAILURES_PER_IP", 3)
    monkeypatch.setattr(admin_login, "FAILURES_PER_NAME", 5)
    yield
    cache.clear()


@pytest.fixture
def grace():
    return User.objects.create_superuser("grace", PASSWORD)


def sign_in(password, *, name="grace", ip="192.0.2.1"):
    return Client().post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=ip)


def test_who_guesses_too_often_is_told_to_wait_and_the_right_password_opens_nothing(grace):
    guesses = [sign_in("guess") for _ in range(3)]

    refused = sign_in(PASSWORD)

    assert [each.status_code for each in guesses] == [200, 200, 200]
    assert not any(WORDS in each.content.decode() for each in guesses)
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    assert WORDS in refused.content.decode()
    assert "sessionid" not in refused.cookies


def test_other_names_do_not_help_and_other_places_are_not_shut_out(grace):
    for name in ("root", "admin", "grace"):
        sign_in("guess", name=name)

    assert sign_in("guess", name="other").status_code == 429
    assert sign_in(PASSWORD, ip="192.0.2.2").status_code == 302


def test_the_many_addresses_of_one_line_are_one_place(grace):
    guesses = [sign_in("guess", name=f"name{n}", ip=f"2001:db8:0:1::{n}") for n in range(1, 5)]

    assert [each.status_code for each in guesses] == [200, 200, 200, 429]
    assert sign_in(PASSWORD, ip="2001:db8:0:2::1").status_code == 302
    assert sign_in(PASSWORD, ip="::ffff:192.0.2.1").status_code == 302


def test_a_name_is_not_guessed_at_from_everywhere(grace):
    for number in range(5):
        sign_in("guess", name="Grace" if number % 2 else "grace", ip=f"192.0.2.{number}")

    assert sign_in("guess", ip="192.0.2.77").status_code == 429
    assert sign_in("guess", name="ada", ip="192.0.2.78").status_code == 200


def test_signing_in_often_is_no_failure(grace):
    assert [sign_in(PASSWORD).status_code for _ in range(6)] == [302] * 6


def test_a_quarter_of_an_hour_later_there_are_new_tries(grace, monkeypatch):
    asked = []
    monkeypatch.setattr(counters.cache, "add", lambda name, value, seconds: asked.append(seconds))
    sign_in("guess")

    assert asked == [900, 900]


def test_a_cache_that_is_away_shuts_nobody_out(grace, monkeypatch):
    def away(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(counters.cache, "add", away)

    assert [sign_in("guess").status_code for _ in range(5)] == [200] * 5
    assert sign_in(PASSWORD).status_code == 302


def test_who_comes_straight_to_the_form_lands_on_the_first_page(grace, client):
    [address] = re.findall(r'<form action="([^"]+)"', client.get("/admin/login/").content.decode())

    response = client.post(unescape(address), {"username": "grace", "password": PASSWORD})

    assert (response.status_code, response["Location"]) == (302, "/admin/")
