import time
from typing import Any

import jwt
import pytest
from pytest_django import Settings

from notifications.inbox import identity, tokens
from preferences.models import User


def forged(key: bytes | str | None = None, **changes: Any) -> str:
    """Return a token like ours, signed with our key unless told otherwise, with some claims or headers changed."""
    kid, own = next(iter(tokens._keys().items()))
    headers = {"kid": changes.pop("kid", kid)}
    headers = {name: value for name, value in headers.items() if value is not None}
    algorithm = changes.pop("alg", "HS256")
    claims = {"sub": "inbox-ada", "pk": 1, "mode": "live", "aud": "inbox", "exp": time.time() + 60} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, own if key is None else key, algorithm=algorithm, headers=headers)


def test_a_token_says_who_and_until_when() -> None:
    token, expires_at = tokens.mint(user_id="inbox-ada", user_pk=7, mode="live", seconds=60)

    claims = tokens.verify(token)

    assert (claims.user_id, claims.user_pk, claims.mode) == ("inbox-ada", 7, "live")
    assert claims.expires_at == expires_at.timestamp()
    assert 50 < claims.expires_at - time.time() <= 60


def test_no_token_lives_longer_than_an_hour() -> None:
    _, expires_at = tokens.mint(user_id="inbox-ada", user_pk=7, mode="live", seconds=100_000)

    assert expires_at.timestamp() <= time.time() + 3600


def test_a_token_like_ours_opens() -> None:
    assert tokens.verify(forged()).user_id == "inbox-ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_000_000_000},
        {"exp": None},
        {"aud": "api"},
        {"aud": None},
        {"sub": None},
        {"pk": None},
        {"kid": "deadbeef"},
        {"kid": None},
        {"key": b"another key of thirty-two bytes!"},
        {"key": "", "alg": "none"},
        {"key": b"another key of sixty-four bytes!" * 2, "alg": "HS512"},
    ],
    ids=str,
)
def test_what_is_not_ours_does_not_open(changes: dict[str, Any]) -> None:
    with pytest.raises(tokens.InvalidToken):
        tokens.verify(forged(**changes))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\ud800", "é.é.é", "x" * 100_000, "..", "e30.e30.e30"])
def test_what_is_no_token_does_not_open(token: str) -> None:
    with pytest.raises(tokens.InvalidToken):
        tokens.verify(token)


def test_tokens_outlive_a_change_of_the_secret_key_that_keeps_the_old_one(settings: Settings) -> None:
    token, _ = tokens.mint(user_id="inbox-ada", user_pk=7, mode="live")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key", [settings.SECRET_KEY]

    assert tokens.verify(token).user_pk == 7

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(tokens.InvalidToken):
        tokens.verify(token)


def test_a_token_opens_for_its_person_alone(ada: User) -> None:
    token, _ = tokens.mint(user_id=ada.user_id, user_pk=ada.pk, mode="live")

    found = identity.of_token(token)

    assert found is not None
    assert found.user == ada


@pytest.mark.parametrize("gone", [{"is_active": False}, {"user_id": "somebody-else"}])
def test_a_token_of_a_person_who_is_gone_does_not_open(ada: User, gone: dict[str, Any]) -> None:
    token, _ = tokens.mint(user_id=ada.user_id, user_pk=ada.pk, mode="live")
    User.objects.filter(pk=ada.pk).update(**gone)

    assert identity.of_token(token) is None


def test_whoever_takes_over_a_user_id_does_not_get_in_with_its_old_token(ada: User) -> None:
    token, _ = tokens.mint(user_id=ada.user_id, user_pk=ada.pk, mode="live")
    User.objects.filter(pk=ada.pk).update(user_id="erased")
    User.objects.create_user("inbox-ada")

    assert identity.of_token(token) is None
