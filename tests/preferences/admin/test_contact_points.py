import pytest
from django.test import Client

from preferences import contact_points
from preferences.models import User
from project.foundation import clock

pytestmark = pytest.mark.django_db


def test_operators_see_which_addresses_their_owner_has_confirmed(ada: User, grace: User, client: Client) -> None:
    known, _ = contact_points.add(ada, channel="email", address="ada@example.com")
    contact_points.propose(ada, channel="email", address="ada@work.example")
    client.force_login(grace)
    page = client.get(f"/admin/preferences/user/{ada.pk}/change/").content.decode()
    assert "Waits for its owner to confirm it" in page
    assert "In use, confirmed by its owner" not in page

    contact_points.confirm(known, now=clock.now())

    assert "In use, confirmed by its owner" in client.get(f"/admin/preferences/user/{ada.pk}/change/").content.decode()
