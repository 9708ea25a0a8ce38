import re
import time

from playwright.sync_api import BrowserContext, expect

from tests.browser.shop import Shop


def test_a_person_comes_in_by_the_link_in_their_mail_and_only_once(context: BrowserContext, shop: Shop) -> None:
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("E-mail address or user name").fill("Bob@example.com")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading")).to_have_text("Check your e-mail")

    link = _link_in_newest_mail(shop, "bob")
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/preferences/$"))

    again = page.goto(link)
    assert again is not None
    assert again.status == 410


def _link_in_newest_mail(shop: Shop, user_id: str) -> str:
    for _ in range(200):
        query = {"user_id": user_id, "channel": "email", "limit": "1"}
        mails = shop.client.get("/api/v1/outbox", params=query, headers=shop.headers).json()["results"]
        if found := mails and re.search(r"http://\S+/login/\S+", mails[0]["parts"]["text"]):
            return found[0]
        time.sleep(0.1)
    raise AssertionError("No mail came.")
