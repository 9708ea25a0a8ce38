"""The settings page in a real browser: saved in place, said aloud, taken back, and all of it without scripts too."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server import Server


@pytest.fixture
def settings(page: Page, carillon_server: Server) -> Iterator[Page]:
    """Ada's settings, with no pause and no quiet hours."""
    key = carillon_server.demo["live_key"]
    with httpx.Client(base_url=f"{carillon_server.url}/api/v1", headers={"Authorization": f"Bearer {key}"}) as api:
        api.put("/users/ada/preferences", json={}).raise_for_status()
        page.goto("/preferences/")
        yield page
        api.put("/users/ada/preferences", json={}).raise_for_status()


def test_a_pause_is_saved_in_place_and_said_and_undone(settings: Page) -> None:
    settings.evaluate("window.sameDocument = true")

    settings.get_by_role("button", name="A week").click()
    expect(settings.get_by_role("status")).to_contain_text("Paused until")
    expect(settings.get_by_role("button", name="Resume everything")).to_be_visible()
    expect(settings.get_by_role("button", name="A week")).to_be_focused()
    settings.get_by_role("button", name="Undo").click()

    expect(settings.get_by_role("status")).to_contain_text("Undone")
    expect(settings.get_by_role("button", name="Resume everything")).to_have_count(0)
    assert settings.evaluate("window.sameDocument")


def test_what_is_wrong_is_said_and_the_keyboard_goes_there(settings: Page) -> None:
    settings.get_by_label("From").fill("")

    settings.get_by_role("button", name="Add", exact=True).click()

    expect(settings.get_by_role("alert")).to_contain_text("Enter a time from 00:00 to 23:59.")
    expect(settings.get_by_label("From")).to_be_focused()
    expect(settings.get_by_label("From")).to_have_attribute("aria-invalid", "true")


def test_two_tabs_never_undo_each_other(settings: Page) -> None:
    other = settings.context.new_page()
    other.goto("/preferences/")

    settings.get_by_role("button", name="Every night, 22:00–7:00").click()
    expect(settings.get_by_role("status")).to_contain_text("Saved")
    other.get_by_label("From").fill("12:00")
    other.get_by_label("Until").fill("14:00")
    other.get_by_role("button", name="Add", exact=True).click()

    expect(other.locator("#quiet .crl-lines li")).to_have_count(2)


def test_a_digest_counts_at_once_and_focus_stays(settings: Page) -> None:
    box = settings.locator("#digest").get_by_role("switch", name="Offers")

    box.focus()
    settings.keyboard.press("Space")

    expect(settings.get_by_role("status")).to_contain_text("It counts from the next message on.")
    expect(box).to_be_checked()
    expect(box).to_be_focused()


def test_everything_works_without_scripts_on_a_phone(settings: Page, browser: Browser, carillon_server: Server) -> None:
    context = browser.new_context(
        base_url=carillon_server.url,
        viewport={"width": 390, "height": 800},
        java_script_enabled=False,
        storage_state=settings.context.storage_state(),
        locale="en",
    )
    page = context.new_page()
    page.goto("/preferences/")

    page.get_by_role("button", name="Until I say so").click()
    expect(page.get_by_role("status")).to_contain_text("Paused until you resume it.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone")
    page.locator("#digest").get_by_role("switch", name="Offers").check()
    page.locator("#digest").get_by_role("button", name="Save").click()
    expect(page.locator("#digest").get_by_role("switch", name="Offers")).to_be_checked()
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_hangs_over_the_edge(settings: Page, width: int) -> None:
    settings.set_viewport_size({"width": width, "height": 900})

    assert settings.evaluate("document.documentElement.scrollWidth <= innerWidth")
