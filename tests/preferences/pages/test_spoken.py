import pytest
from django.test import Client

from preferences.models import ConsentRecord, User
from tests.preferences.pages.conftest import undo

pytestmark = pytest.mark.django_db
URL = "/preferences/language/"


def locale(user: User) -> str:
    return User.objects.values_list("locale", flat=True).get(pk=user.pk)


def test_the_page_speaks_the_chosen_language_from_the_next_word_on(browser: Client, ada: User) -> None:
    browser.post(URL, {"locale": "ar"})

    page = browser.get("/preferences/").content.decode()
    assert locale(ada) == "ar"
    assert '<html lang="ar" dir="rtl">' in page
    assert "تم الحفظ. هذه لغتك الآن." in page
    record = ConsentRecord.objects.get()
    assert (record.subject, record.old, record.new, record.source) == ("language", "en", "ar", "settings_page")


def test_undo_brings_the_language_back_and_says_so_in_it(browser: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(locale="de-AT")
    assert (
        '<option value="de-AT" lang="de-AT" selected>Deutsch (de-AT)</option>'
        in browser.get("/preferences/").content.decode()
    )
    browser.post(URL, {"locale": "en"})

    assert "Rückgängig gemacht" in undo(browser)
    assert locale(ada) == "de-AT"


@pytest.mark.parametrize("sent", ["en", "tlh", "x" * 50, "de\0", "../de"])
def test_what_is_the_same_or_no_language_of_ours_changes_nothing(browser: Client, ada: User, sent: str) -> None:
    browser.post(URL, {"locale": sent})

    assert locale(ada) == "en"
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize("forged", ["language=5", "language=[]", 'language="<b>"', 'language="' + "x" * 50 + '"'])
def test_a_forged_undo_changes_nothing(browser: Client, ada: User, forged: str) -> None:
    browser.post("/preferences/undo/", {"restore": forged})

    assert locale(ada) == "en"


def test_the_browsers_language_counts_again_once_it_is_chosen(browser: Client, ada: User) -> None:
    browser.post(URL, {"locale": ""})

    page = browser.get("/preferences/", headers={"Accept-Language": "de"})
    assert locale(ada) == ""
    assert '<html lang="de"' in page.content.decode()
