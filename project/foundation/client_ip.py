"""Whom a request comes from, when proxies stand before us."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

Address = IPv4Address | IPv6Address


def client_ip(request: HttpRequest | Request) -> str:
    """Return the address of whoever asked us, "" when it is not known.

    settings.TRUSTED_PROXIES says whose X-Forwarded-For to believe. A number: so many proxies stand before us, and each
    has added the address that it was asked from. Networks: whoever lies in one is a proxy, and the last address that
    does not is the client. What a client has written itself stands further left, and is never reached.
    """
    peer: str = request.META.get("REMOTE_ADDR") or ""
    trusted = settings.TRUSTED_PROXIES
    if not trusted:
        return peer
    passed_on = [text.strip() for text in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if text.strip()]
    if isinstance(trusted, int):
        # Fewer addresses than proxies: it has come past them.
        found = _read(passed_on[-trusted]) if len(passed_on) >= trusted else None
        return peer if found is None else str(found)
    return _beyond(trusted, peer, passed_on)


def line_of(ip: str) -> str:
    """Return what to count requests by: of IPv6 the /64, since a single line has as many addresses; else the address.

    Source: RFC 6177, by which a site gets a /64 at least.
    """
    address = _read(ip)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return ip if address is None else str(address)


def _beyond(trusted: Sequence[object], peer: str, passed_on: Sequence[str]) -> str:
    client = peer
    for text in [peer, *reversed(passed_on)]:
        address = _read(text)
        if address is None:
            return client
        client = str(address)
        if not any(address in network for network in trusted):  # type: ignore[operator]
            return client
    return client


def _read(text: str) -> Address | None:
    """Return an address that may stand with its port: "192.0.2.7:4711", "[2001:db8::7]:4711"."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
