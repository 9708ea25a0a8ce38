from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from preferences.models import Category, User
from tests.notifications.inbox.live import Socket, opened, serving


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def open_socket(url: str) -> Iterator[Callable[..., Socket]]:
    with ExitStack() as sockets:
        yield lambda **options: sockets.enter_context(opened(url, **options))


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("inbox-ada")


@pytest.fixture
def bob(transactional_db: None) -> User:
    return User.objects.create_user("inbox-bob")


@pytest.fixture
def shipping(transactional_db: None) -> Category:
    return Category.objects.create(key="inbox-shipping", name="Shipping")
