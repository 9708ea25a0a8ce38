"""Adding a phone number in a real browser: asked and confirmed in place, said aloud, and without scripts too."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server import Server


@pytest.fixture
def api(carillon_server: Server) -> Iterator[httpx.Client]:
    key = carillon_server.demo["live_key"]
    with httpx.Client(base_url=f"{carillon_server.url}/api/v1", headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def number() -> str:
    return f"+4930{time.time_ns() // 1000 % 10**8:08}"


def code_for(api: httpx.Client, number: str) -> str:
    for _ in range(200):
        query = {"user_id": "ada", "channel": "sms", "limit": "1"}
        texts = api.get("/outbox", params=query).json()["results"]
        if texts and texts[0]["to"] == number:
            found = re.search(r"\d{6}", texts[0]["parts"]["text"])
            assert found
            return found[0]
        time.sleep(0.1)
    raise AssertionError("No text message came.")


def test_a_number_is_added_and_confirmed_without_leaving_the_page(page: Page, api: httpx.Client) -> None:
    added = number()
    page.goto("/preferences/")
    page.evaluate("window.sameDocument = true")

    page.get_by_label("Add an e-mail address or phone number").fill(added)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("We sent a code to +49•••")
    page.get_by_label("The code we sent").fill("12345")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong")
    expect(page.get_by_label("The code we sent")).to_be_focused()
    page.get_by_label("The code we sent").fill(code_for(api, added))
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Confirmed.")
    expect(page.get_by_label("The code we sent")).to_have_count(0)
    assert page.evaluate("window.sameDocument")
    _remove(page, added)


def test_a_number_is_added_and_confirmed_without_scripts(
    page: Page, api: httpx.Client, browser: Browser, carillon_server: Server
) -> None:
    added = number()
    context = browser.new_context(
        base_url=carillon_server.url, java_script_enabled=False, storage_state=page.context.storage_state(), locale="en"
    )
    plain = context.new_page()
    plain.goto("/preferences/")

    plain.get_by_label("Add an e-mail address or phone number").fill(added)
    plain.get_by_role("button", name="Add the address").click()
    plain.get_by_label("The code we sent").fill(code_for(api, added))
    plain.get_by_role("button", name="Confirm", exact=True).click()

    expect(plain.get_by_role("status")).to_contain_text("Confirmed.")
    context.close()
    page.goto("/preferences/")
    _remove(page, added)


def _remove(page: Page, added: str) -> None:
    """Leave the next test no number of ours."""
    line = page.locator("#addresses li").filter(has_text="In use and confirmed").filter(has_text=f"+49•••{added[-2:]}")
    line.get_by_role("button", name="Stop using").click()
    gone = page.get_by_role("button", name=f"Remove for good: +49•••{added[-2:]}")
    gone.click()
    expect(gone).to_have_count(0)
