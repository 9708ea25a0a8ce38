"""axe-core on every page that people and operators meet: nothing that keeps anybody out is serious or worse."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.browser.mails import path_in_mail
from tests.server import Server

_AXE = Axe()
# Beside what axe asks by itself: who speaks to a page says the words that stand on its buttons (WCAG 2.5.3).
_OPTIONS = {"resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}
_LOOKS: dict[str, ViewportSize] = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
_ADMIN = [
    "/admin/",
    "/admin/notifications/notification/",
    "/admin/notifications/broadcast/",
    "/admin/notifications/provideraccount/",
    "/admin/notifications/outboxmessage/",
    "/admin/preferences/user/",
    "/admin/preferences/category/",
    "/admin/preferences/category/add/",
    "/admin/preferences/suppression/",
    "/admin/preferences/consentrecord/",
    "/admin/templates_app/template/",
]


@pytest.fixture
def open_as(browser: Browser, carillon_server: Server) -> Iterator[Callable[..., Page]]:
    """Open a page as a stranger sees it; the words say how: viewport=…, locale=…"""
    contexts: list[BrowserContext] = []

    def opened(**how: Any) -> Page:
        # Nothing moves: a colour on its way to another is neither.
        context = browser.new_context(
            **{"base_url": carillon_server.url, "locale": "en", "reduced_motion": "reduce"} | how
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_as: Callable[..., Page]) -> Page:
    return open_as()


@pytest.fixture
def api(carillon_server: Server) -> Iterator[httpx.Client]:
    """The API as the demo's caller; at the end Ada has made no choices and speaks English."""
    headers = {"Authorization": f"Bearer {carillon_server.demo['live_key']}"}
    with httpx.Client(base_url=f"{carillon_server.url}/api/v1", headers=headers, timeout=10) as client:
        yield client
        client.put("/users/ada/preferences", json={}).raise_for_status()
        client.put("/users/ada", json={"locale": "en-GB"}).raise_for_status()


def barriers(page: Page) -> list[str]:
    """Return what axe calls serious or critical on a page in the light and in the dark, each with where it is."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += _AXE.run(page, options=_OPTIONS).response["violations"]
    return sorted(
        {
            f"{each['impact']}: {each['id']} at {[node['target'] for node in each['nodes']]}"
            for each in found
            if each["impact"] in ("serious", "critical")
        }
    )


def sign_in_as_ada(page: Page) -> Page:
    page.goto("/")
    with page.expect_navigation():
        page.locator("form[action$='/demo/sign-in/'] button").first.click()
    return page


def test_axe_finds_what_is_wrong(page: Page) -> None:
    page.set_content("<html lang=en><title>x</title><main><img src='x.png'><input></main>")

    assert [each.split(" at ")[0] for each in barriers(page)] == ["critical: image-alt", "critical: label"]


@pytest.mark.parametrize("look", ["desk", "phone"])
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_settings_page(open_as: Callable[..., Page], api: httpx.Client, look: str, locale: str) -> None:
    quiet = {"timezone": "Europe/Berlin", "weekly": [{"days": ["mon"], "from": "22:00", "until": "07:00"}]}
    choices = {"quiet_hours": quiet, "muted_until": "forever", "categories": {"offers": {"enabled": False}}}
    api.put("/users/ada/preferences", json=choices).raise_for_status()
    page = sign_in_as_ada(open_as(viewport=_LOOKS[look]))
    page.goto("/preferences/")
    if locale == "ar":
        page.locator("#language-locale").select_option("ar")
        page.locator("#language button").click()
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert barriers(page) == []

    page.locator("details.crl-more summary").click()
    page.locator("#quiet-from").fill("")
    page.locator("button[name=do][value=add]").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)
    assert barriers(page) == []


def test_an_address_that_waits_for_its_code(page: Page, api: httpx.Client) -> None:
    number = f"+4930{time.time_ns() % 10**8:08}"
    sign_in_as_ada(page)
    page.goto("/preferences/")
    page.locator("#new-address").fill(number)
    page.locator(".crl-add button").click()

    expect(page.locator(".crl-code")).to_have_count(1)
    assert barriers(page) == []

    page.locator("button[name=remove]").click()
    expect(page.locator(".crl-code")).to_have_count(0)


def test_the_history_of_what_was_sent(page: Page) -> None:
    sign_in_as_ada(page)
    page.goto("/preferences/history/")

    assert barriers(page) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [("/login/", 200), ("/login/over/", 410), ("/preferences/over/", 410), ("/confirm/over/", 410), ("/no/page/", 404)],
)
def test_pages_for_anybody(page: Page, path: str, status: int) -> None:
    answer = page.goto(path)

    assert answer is not None
    assert answer.status == status
    assert barriers(page) == []


def test_unsubscribing_before_and_after_and_undone(page: Page, api: httpx.Client) -> None:
    variables = api.get("/types/WEEKLY_OFFERS").json()["schema"]["examples"][0]
    body = {"user_id": "chen", "type": "WEEKLY_OFFERS", "channels_preferred": ["email"]}
    api.post("/notifications/send", json=body | {"payload": {"template_variables": variables}}).raise_for_status()
    page.goto(path_in_mail(api, "chen", r"http://[^/]+/u/[^>\s]+"))
    assert barriers(page) == []

    page.locator("main form button").click()
    expect(page.locator("[role=status]")).to_be_visible()
    assert barriers(page) == []

    page.locator("main form button").click()
    expect(page.locator("[role=status]")).to_be_visible()
    assert barriers(page) == []


def test_signing_in_and_confirming_by_a_mailed_link(page: Page, api: httpx.Client) -> None:
    page.goto("/login/")
    page.locator("#identifier").fill("chen")
    page.locator("main form button").click()
    expect(page.locator("h1")).to_be_visible()
    assert barriers(page) == []

    page.goto(path_in_mail(api, "chen", r"http://[^/]+/login/\S+"))
    assert barriers(page) == []


def test_confirming_a_new_address(page: Page, api: httpx.Client) -> None:
    sign_in_as_ada(page)
    page.goto("/preferences/")
    page.locator("#new-address").fill(f"ada{time.time_ns()}@work.example")
    page.locator(".crl-add button").click()
    expect(page.locator("[role=status]")).to_contain_text("@work.example")
    link = path_in_mail(api, "ada", r"http://[^/]+/confirm/\S+")

    page.goto(link)
    assert barriers(page) == []
    page.locator("main form button").click()
    expect(page.locator("[role=status]")).to_be_visible()
    assert barriers(page) == []

    page.goto("/preferences/")
    for act in ("stop", "remove"):
        page.locator(f"#addresses li:has-text('@work.example') button[name={act}]").click()
        expect(page.locator("[role=status]")).to_contain_text("@work.example")


def test_the_shop_with_the_bell_open(page: Page, api: httpx.Client) -> None:
    body = {"user_id": "ada", "type": "NEW_COMMENT", "channels_preferred": ["in_app"]}
    variables = api.get("/types/NEW_COMMENT").json()["schema"]["examples"][0]
    api.post("/notifications/send", json=body | {"payload": {"template_variables": variables}}).raise_for_status()
    sign_in_as_ada(page)
    page.wait_for_selector("carillon-inbox[state=live]")
    assert barriers(page) == []

    page.locator("carillon-inbox").locator("button.bell").click()
    expect(page.locator("carillon-inbox").locator("li").first).to_be_visible()
    assert barriers(page) == []


def test_the_admin(page: Page, carillon_server: Server) -> None:
    page.goto("/admin/login/")
    assert barriers(page) == []
    page.locator("input[name=username]").fill(carillon_server.demo["admin"]["username"])
    page.locator("input[name=password]").fill(carillon_server.demo["admin"]["password"])
    page.locator("button[type=submit]").click()
    page.wait_for_url(re.compile("/admin/$"))

    found = {}
    for path in _ADMIN:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        found[path] = barriers(page)

    assert {path: what for path, what in found.items() if what} == {}
