"""The installations that come along, as far as they can be read."""

from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", ["compose.yaml", "deploy/kubernetes/carillon.yaml"])
def test_behind_the_proxy_that_comes_along_each_client_is_itself(path):
    """The limits of signing in would otherwise count all people as one."""
    lines = [line.strip() for line in (HERE / path).read_text().splitlines()]

    assert [line for line in lines if line.startswith("TRUSTED_PROXIES:") and "1" in line]


def test_no_client_can_say_by_an_underscore_who_it_is():
    assert "request_header -*_*" in (HERE / "deploy/Caddyfile").read_text()
