"""The inbox on a site of its own, and through the end of its server."""

import json
import signal
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests import server
from tests.browser.shop import Shop
from tests.server import Server

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("embedding")]


class Site:
    """Somebody's own site: one page, and the token of whoever is signed in there."""

    def __init__(self) -> None:
        self.page = self.tokens = ""
        self.asked = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_token = self.path == "/inbox-token"
                site.asked += is_token
                self.send_response(200)
                self.send_header("Content-Type", "application/json" if is_token else "text/html")
                self.end_headers()
                self.wfile.write((site.tokens if is_token else site.page).encode())

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture(scope="module")
def carillon(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """A server that lets the site in; the list's last one is the one that runs."""
    running = [server.start(tmp_path_factory.mktemp("embedding"), EMBED_ORIGINS=site.url)]
    yield running
    running[-1].stop()


@pytest.fixture
def shop(carillon: list[Server], site: Site) -> Iterator[Shop]:
    with httpx.Client(base_url=carillon[-1].url, timeout=10) as client:
        shop = Shop(client, carillon[-1].demo["live_key"])
        shop.empty_inbox("ada")
        token = client.post("/api/v1/users/ada/tokens", headers=shop.headers).json()["token"]
        site.tokens, site.asked = json.dumps({"token": token}), 0
        site.page = (
            '<!doctype html><html lang="de"><title>A shop</title>'
            f'<script type="module" src="{carillon[-1].url}/static/carillon/inbox.js"></script>'
            f'<carillon-inbox api="{carillon[-1].url}/api/v1" token-url="/inbox-token"></carillon-inbox>'
        )
        yield shop


@pytest.fixture
def page(browser: Browser, site: Site, shop: Shop) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"The page raised {error}"))
    page.goto(site.url)
    page.wait_for_selector("carillon-inbox[state=live]")
    yield page
    context.close()


def test_the_inbox_lives_on_another_site_by_token(page: Page, shop: Shop, site: Site) -> None:
    shop.send(title="Hallo")
    expect(page.locator("carillon-inbox .badge")).to_have_text("1")

    page.get_by_role("button", name="Benachrichtigungen").first.click()

    expect(page.locator("carillon-inbox li .title")).to_have_text(["Hallo"])
    expect(page.locator("carillon-inbox .badge")).to_be_hidden()
    assert site.asked == 1
    assert page.context.cookies() == []


def test_nothing_is_lost_when_the_server_is_killed_and_comes_back(
    page: Page, shop: Shop, carillon: list[Server]
) -> None:
    shop.send(title="Before")
    expect(page.locator("carillon-inbox .badge")).to_have_text("1")
    before = carillon[-1]
    before.stop(signal.SIGKILL)
    page.wait_for_selector("carillon-inbox[state=reconnecting]")

    port = int(before.url.rpartition(":")[2])
    carillon.append(server.start(before.var_dir, port=port, EMBED_ORIGINS=page.url.rstrip("/")))
    shop.send(title="After")

    expect(page.locator("carillon-inbox .badge")).to_have_text("2", timeout=35_000)
    page.wait_for_selector("carillon-inbox[state=live]", timeout=35_000)
