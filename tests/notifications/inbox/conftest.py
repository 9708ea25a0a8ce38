from collections.abc import Callable
from typing import Any

import pytest

from notifications.inbox import feed
from notifications.inbox.feed import NewItem
from preferences.models import Category, User
from project.foundation import clock
from project.foundation.ids import new_id

NewItemFor = Callable[..., NewItem]


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("inbox-ada")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("inbox-bob")


@pytest.fixture
def shipping(db: None) -> Category:
    return Category.objects.create(key="inbox-shipping", name="Shipping")


@pytest.fixture
def item_for(shipping: Category) -> NewItemFor:
    """Return a maker of items that are not stored yet: `item_for(ada, title="Hello")`."""

    def make(user: User, *, category: Category = shipping, **content: Any) -> NewItem:
        return NewItem(
            id=new_id(),
            user_pk=user.pk,
            notification_id=new_id(),
            type_key="PARCEL_SENT",
            category_id=category.pk,
            category_key=category.key,
            priority="MEDIUM",
            content={"title": "Your parcel is on its way", "body": "It comes tomorrow.", **content},
            why="You ordered something.",
            created_at=clock.now(),
        )

    return make


@pytest.fixture
def three(ada: User, item_for: NewItemFor) -> list[NewItem]:
    items = [item_for(ada, title=f"Number {number}") for number in range(3)]
    feed.add_items(items)
    return items
