from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from preferences.models import User


@pytest.fixture
def clerk(db: None) -> Callable[..., Client]:
    """The admin, with staff signed in who have these rights and no others: "preferences.view_user"."""

    def signed_in(*rights: str) -> Client:
        user = User.objects.create_user(f"clerk-{'-'.join(rights)}", is_staff=True)
        for right in rights:
            app, _, name = right.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=name))
        client = Client()
        client.force_login(user)
        return client

    return signed_in
