import pytest
from django.test import Client

from preferences.models import User


@pytest.fixture
def browser(ada: User) -> Client:
    """Ada's, signed in."""
    client = Client()
    client.force_login(ada)
    return client


def undo(client: Client, base: str = "/preferences/") -> str:
    """Press the page's Undo; return what the page says then."""
    restore = client.get(base).context["saved"]["restore"]
    client.post(f"{base}undo/", {"restore": restore})
    return client.get(base).content.decode()
