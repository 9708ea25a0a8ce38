import pytest

from notifications.providers import machines

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize("agent", [IPHONE, GMAIL, FIREFOX, "YahooMailProxy; https://help.yahoo.com/kb/x.html"])
def test_people_open_through_programs_and_proxies(agent):
    assert not machines.opened_by(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0",  # Apple's Mail Privacy Protection
        "Barracuda Sentinel (EE)",
        "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Windows NT 10.0) HeadlessChrome/120.0",
        "python-requests/2.32.3",
        "curl/8.5.0",
    ],
)
def test_scanners_and_previews_are_no_people(agent):
    assert machines.opened_by(agent)
