import pytest
from django.test import Client

from preferences import contact_points, suppressions
from preferences.consent import Origin
from preferences.models import Category, ConsentRecord, ContactPoint, Suppression, User
from preferences.suppressions import Reason, Unwanted
from tests.preferences.pages.conftest import undo

pytestmark = pytest.mark.django_db
URL = "/preferences/addresses/"


@pytest.fixture
def mail(ada: User) -> ContactPoint:
    point, _ = contact_points.add(ada, channel="email", address="ada@example.com", label="work")
    return point


def reason(point: ContactPoint) -> str:
    return ContactPoint.objects.values_list("disabled_reason", flat=True).get(pk=point.pk)


def test_an_address_is_shown_masked_with_its_label_and_state(browser: Client, mail: ContactPoint) -> None:
    page = browser.get("/preferences/").content.decode()

    assert "a•••@example.com" in page
    assert "ada@example.com" not in page
    assert "work" in page
    assert "In use" in page


def test_an_address_is_taken_out_of_use_and_undo_brings_it_back(browser: Client, ada: User, mail: ContactPoint) -> None:
    browser.post(URL, {"stop": str(mail.pk), "sure": "1"})
    assert reason(mail) == "by_person"
    record = ConsentRecord.objects.get()
    assert (record.subject, record.old, record.new) == ("contact_point:email", "in use", "by_person")

    assert "Undone" in undo(browser)
    assert reason(mail) == ""


def test_a_stopped_address_can_be_used_again_or_removed_for_good(browser: Client, mail: ContactPoint) -> None:
    browser.post(URL, {"stop": str(mail.pk), "sure": "1"})
    page = browser.get("/preferences/").content.decode()
    assert "Not in use: you stopped it." in page
    assert f'name="resume" value="{mail.pk}"' in page

    browser.post(URL, {"remove": str(mail.pk)})

    assert not ContactPoint.objects.exists()
    assert browser.get("/preferences/").context["saved"]["restore"] == []


def test_the_last_address_that_a_category_needs_is_not_given_up_unsaid(
    browser: Client, mail: ContactPoint, orders: Category
) -> None:
    response = browser.post(URL, {"stop": str(mail.pk)})

    assert response.status_code == 422
    assert "This is the last address by e-mail." in response.content.decode()
    assert "Orders must be able to reach you there." in response.content.decode()
    assert reason(mail) == ""
    browser.post(URL, {"stop": str(mail.pk), "sure": "1"})
    assert reason(mail) == "by_person"


def test_one_of_two_addresses_goes_without_a_question(
    browser: Client, ada: User, mail: ContactPoint, orders: Category
) -> None:
    contact_points.add(ada, channel="email", address="ada@example.org")

    assert browser.post(URL, {"stop": str(mail.pk)}).status_code == 302
    assert reason(mail) == "by_person"


def test_an_address_that_a_service_called_dead_is_not_brought_back(browser: Client, mail: ContactPoint) -> None:
    contact_points.disable(mail, reason="unregistered")

    browser.post(URL, {"resume": str(mail.pk)})

    assert reason(mail) == "unregistered"
    assert "Not in use: it no longer works." in browser.get("/preferences/").content.decode()


def test_a_blocked_address_says_why(browser: Client, mail: ContactPoint) -> None:
    suppressions.suppress([Unwanted("email", "ada@example.com", "complaint")], origin=Origin("api", "system"))

    assert "Blocked: a message to it was reported as spam." in browser.get("/preferences/").content.decode()


def test_nobody_touches_the_address_of_another(browser: Client, bob: User) -> None:
    point, _ = contact_points.add(bob, channel="email", address="bob@example.com")

    for act in ("stop", "remove", "resume"):
        assert browser.post(URL, {act: str(point.pk)}).status_code == 302
    browser.post("/preferences/undo/", {"restore": f'addresses=["{point.pk}","stop"]'})

    assert reason(point) == ""


@pytest.mark.parametrize("form", [{}, {"stop": "nonsense"}, {"remove": ""}])
def test_a_malformed_form_changes_nothing(browser: Client, mail: ContactPoint, form: dict[str, str]) -> None:
    assert browser.post(URL, form).status_code == 302
    assert reason(mail) == ""


def test_an_erased_address_is_used_again_when_its_owner_says_so(browser: Client, ada: User, mail: ContactPoint) -> None:
    suppressions.suppress(
        [Unwanted("email", "ada@example.com", Reason.ERASED)], origin=Origin(source="erasure", actor="key:shop")
    )
    assert "since its owner’s data was erased" in browser.get("/preferences/").content.decode()

    browser.post(URL, {"resume": str(mail.pk)})

    assert not Suppression.objects.exists()
    line = ConsentRecord.objects.filter(user=ada).order_by("id").last()
    assert line is not None
    assert (line.subject, line.old, line.new) == ("suppression:email", "erased", "unset")
    assert (line.source, line.actor) == ("settings_page", f"user:{ada.user_id}")


@pytest.mark.parametrize("reason", [Reason.BOUNCE, Reason.COMPLAINT, Reason.STOP, Reason.OPERATOR])
def test_no_other_block_is_undone_on_the_page(browser: Client, mail: ContactPoint, reason: str) -> None:
    suppressions.suppress([Unwanted("email", "ada@example.com", reason)], origin=Origin(source="x", actor="system"))

    browser.post(URL, {"resume": str(mail.pk)})

    assert Suppression.objects.exists()
