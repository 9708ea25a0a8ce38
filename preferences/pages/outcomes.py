"""What comes of a form of the settings page: it was saved and can be taken back, or it was refused and says where."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Saved:
    """`text` is for the person, "" where nothing changed; each of `restore` is a `token` that takes it back."""

    text: str = ""
    restore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """`errors`: sentences by field of the section's form. `given`: what was sent, to be shown again."""

    section: str
    errors: Mapping[str, str]
    given: Mapping[str, Any] = field(default_factory=dict)


Outcome = Saved | Refused


def token(kind: str, value: Any) -> str:
    """Return how the page remembers one thing to take back: "pause=[…]"."""
    return f"{kind}={json.dumps(value, separators=(',', ':'))}"


def read_token(text: str) -> tuple[str, Any]:
    """Return (kind, value) of a token; ("", None) for what is none."""
    kind, equals, value = text.partition("=")
    try:
        return (kind, json.loads(value)) if equals else ("", None)
    except (ValueError, RecursionError):
        return "", None
