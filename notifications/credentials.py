"""Messages of our own whose text is a key: who reads it can do what its owner can. Shown to nobody but the owner."""

from collections.abc import Mapping
from typing import Any

TYPES = frozenset({"ACCOUNT_SIGN_IN", "ADDRESS_CONFIRMATION"})
LEFT_OUT = "(left out: it lets its reader in)"


def without(type_key: str | None, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a message says, its texts left out if they are a key. `type_key` None: nobody knows any more."""
    secret = type_key is None or type_key in TYPES
    return {name: LEFT_OUT if secret and value else value for name, value in said.items()}
