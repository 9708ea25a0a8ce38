"""Typed reading of the environment: NAME, or NAME_FILE with a path whose content is the value."""

import base64
import os
import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def text(name: str, default: str | None = None) -> str:
    """Return the value of `name`; ImproperlyConfigured names the variable when it is missing and has no default."""
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    value = os.environ.get(name, "") or default
    if value is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE) in the environment.")
    return value


def flag(name: str, default: bool) -> bool:
    return text(name, str(default)).lower() in {"1", "true", "yes", "on"}


def number(name: str, default: float) -> float:
    try:
        return float(text(name, str(default)))
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number.") from None


def items(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def duration(name: str, default: str) -> timedelta:
    """Return a duration: "30s", "10m", "24h", "7d"; a bare number is seconds."""
    return _duration(name, text(name, default))


def durations(name: str, default: str) -> list[timedelta]:
    return [_duration(name, item) for item in items(name, default)]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return a comma-separated list of networks: "10.0.0.0/8,fd00::/8"; an address is a network of one."""
    try:
        return [ip_network(item) for item in items(name)]
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a list of networks such as 10.0.0.0/8.") from None


def proxies(name: str) -> int | list[IPv4Network | IPv6Network]:
    """Return how many proxies there are, or the networks they lie in."""
    given = text(name, "")
    return int(given) if re.fullmatch("[0-9]{1,2}", given) else networks(name)


def keys(name: str, default: str | None = None) -> dict[str, bytes]:
    """Return `id:base64-of-32-bytes,…` as {id: key}, newest first as written."""
    found = {}
    for item in text(name, default).split(","):
        key_id, _, encoded = item.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not key_id or len(key) != 32:
            raise ImproperlyConfigured(f"{name} must be a list of id:base64-of-32-bytes.")
        found[key_id] = key
    return found


def _duration(name: str, value: str) -> timedelta:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value)
    if match is None:
        raise ImproperlyConfigured(f"{name} must be durations such as 30s, 10m, 24h, 7d.")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2] or "s"])
