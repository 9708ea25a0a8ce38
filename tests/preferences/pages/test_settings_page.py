import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from preferences import consent, contact_points
from preferences.models import Category, ConsentRecord, Preference, User

pytestmark = pytest.mark.django_db
URL = "/preferences/"


@pytest.fixture
def ada() -> User:
    user = User.objects.create_user("ada", name="Ada Lovelace")
    contact_points.add(user, channel="email", address="ada@example.com")
    return user


@pytest.fixture
def offers() -> Category:
    return Category.objects.create(key="offers", name="Offers", kind="marketing")


@pytest.fixture
def orders() -> Category:
    return Category.objects.create(key="orders", name="Orders", required_channels=["email"])


def choices(user: User) -> dict[tuple[str, str], bool]:
    rows = Preference.objects.filter(user=user).values_list("category__key", "channel", "enabled")
    return {(category or "", channel): enabled for category, channel, enabled in rows}


def test_the_page_needs_a_session() -> None:
    response = Client().get(URL)

    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")


def test_a_switch_that_was_moved_is_stored_with_its_origin(browser: Client, ada: User, offers: Category) -> None:
    response = browser.post(URL, {"shown": ["offers.email:on", "offers.in_app:on"], "on": ["offers.in_app"]})

    assert response.status_code == 302
    assert choices(ada) == {("offers", "email"): False}
    record = ConsentRecord.objects.get()
    assert (record.source, record.actor, record.old, record.new) == ("settings_page", "user:ada", "unset", "no")
    assert "You won’t get Offers by e-mail any more." in browser.get(URL).content.decode()


def test_saving_never_undoes_what_another_tab_has_set(browser: Client, ada: User, offers: Category) -> None:
    consent.set_preference(ada, category=offers, channel="email", enabled=False, source="api", actor="user:ada")

    browser.post(URL, {"shown": ["offers.email:on", "offers.in_app:on"], "on": ["offers.email"]})

    assert choices(ada) == {("offers", "email"): False, ("offers", "in_app"): False}


def test_undo_takes_the_choice_back_to_unset(browser: Client, ada: User, offers: Category) -> None:
    answer = browser.post(URL, {"shown": ["offers.email:on"]}, headers={"Accept": "application/json"}).json()
    assert answer["cells"]["offers.email"] is False

    undone = browser.post("/preferences/undo/", {"restore": answer["restore"]}, headers={"Accept": "application/json"})

    assert undone.json()["cells"]["offers.email"] is True
    assert choices(ada) == {}


def test_a_whole_channel_can_be_switched_off(browser: Client, ada: User, offers: Category) -> None:
    answer = browser.post(URL, {"shown": [".email:on"]}, headers={"Accept": "application/json"}).json()

    assert choices(ada) == {("", "email"): False}
    assert answer["cells"]["offers.email"] is False


def test_a_required_channel_is_locked_and_says_why(browser: Client, ada: User, orders: Category) -> None:
    page = browser.get(URL).content.decode()
    browser.post(URL, {"shown": ["orders.email:on"], "on": []})

    assert "Always on: these messages matter too much to miss." in page
    assert 'value="orders.email"' not in page
    assert choices(ada) == {}


def test_a_channel_without_an_address_says_so_and_cannot_be_set(browser: Client, ada: User, offers: Category) -> None:
    page = browser.get(URL).content.decode()
    browser.post(URL, {"shown": ["offers.sms:off"], "on": ["offers.sms"]})

    assert "No phone number on file" in page
    assert choices(ada) == {}


@pytest.mark.parametrize("shown", ["nonsense", "gone.email:on", "offers.email:maybe", "offers.carrier_pigeon:on", ""])
def test_a_malformed_form_changes_nothing(browser: Client, ada: User, offers: Category, shown: str) -> None:
    assert browser.post(URL, {"shown": [shown], "on": []}).status_code == 302
    assert choices(ada) == {}


def test_a_form_of_another_site_is_refused(ada: User, offers: Category) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)

    assert client.post(URL, {"shown": ["offers.email:on"]}).status_code == 403
    assert choices(ada) == {}


def test_names_of_categories_are_escaped(browser: Client) -> None:
    Category.objects.create(key="evil", name="<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")

    page = browser.get(URL).content.decode()

    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


def test_the_page_speaks_the_persons_language(browser: Client, ada: User, offers: Category) -> None:
    User.objects.filter(pk=ada.pk).update(locale="de-AT")

    page = browser.get(URL, headers={"Accept-Language": "en"}).content.decode()

    assert "Benachrichtigungseinstellungen" in page
    assert '<html lang="de"' in page


def test_the_page_carries_no_inline_script_or_style(browser: Client, offers: Category) -> None:
    response = browser.get(URL)
    page = response.content.decode()

    assert "unsafe-inline" not in response["Content-Security-Policy"]
    assert "style=" not in page
    assert "onclick=" not in page
    assert "<script>" not in page


def test_more_categories_cost_no_more_queries(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Category.objects.bulk_create(Category(key=f"c{number}", name=f"C {number}") for number in range(30))

    with django_assert_max_num_queries(20):
        browser.get(URL)
