from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.shop import Shop
from tests.server import Server


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A real Chromium. No wider than a module: its loop must not be there when other tests use the database."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-sync",
            ],
        )
        yield running
        running.close()


@pytest.fixture
def shop(carillon_server: Server) -> Iterator[Shop]:
    """The demo's caller; Ada's inbox is empty."""
    with httpx.Client(base_url=carillon_server.url, timeout=10) as client:
        shop = Shop(client, carillon_server.demo["live_key"])
        shop.empty_inbox("ada")
        yield shop


@pytest.fixture
def context(browser: Browser, carillon_server: Server) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=carillon_server.url, viewport={"width": 1000, "height": 800}, locale="en")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """The demo shop with Ada signed in and her bell live. A fault in the page's scripts fails the test."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"The page raised {error}"))
    page.goto("/")
    page.get_by_role("button", name="Sign in as Ada").click()
    page.wait_for_selector("carillon-inbox[state=live]")
    return page
