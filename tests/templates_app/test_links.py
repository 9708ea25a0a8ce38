import pytest

from templates_app.links import is_safe


@pytest.mark.parametrize(
    "link", ["https://e.org/a?b=c:d", "http://e.org", "/orders/1", "orders?x=1", "myshop://cart", ""]
)
def test_web_links_paths_and_known_apps_pass(link: str) -> None:
    assert is_safe(link, ["myshop"])


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "other://x",
        "\u200bjavascript:alert(1)",
    ],
)
def test_scripts_and_strangers_do_not(link: str) -> None:
    assert not is_safe(link, ["myshop"])
