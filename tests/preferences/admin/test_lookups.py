import pytest
from django.test import Client
from django.urls import reverse

from preferences.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(
        User.objects.create_superuser("root", "secret"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("preferences_user", {"created_at__year": "99999"}),
        ("preferences_user", {"password__startswith": "a"}),
        ("notifications_apikey", {"secret_hash__gt": "0"}),
        ("notifications_notification", {"status__regex": "(a+)+"}),
    ],
)
def test_a_list_is_narrowed_by_its_filters_and_by_nothing_else(desk: Client, page: str, query: dict[str, str]) -> None:
    assert desk.get(reverse(f"admin:{page}_changelist"), query).status_code == 400


def test_a_lists_own_filters_narrow_it(desk: Client) -> None:
    for page, query in (
        ("preferences_user", {"is_staff__exact": "1"}),
        ("notifications_notification", {"status__exact": "failed"}),
        ("notifications_inboxitem", {"category__id__exact": "1"}),
    ):
        assert desk.get(reverse(f"admin:{page}_changelist"), query).status_code == 200
