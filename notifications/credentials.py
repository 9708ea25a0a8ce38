"""Messages of our own whose text is a key: who reads it can do what its owner can. Shown to nobody else."""

from collections.abc import Mapping
from typing import Any

TYPES = frozenset({"ACCOUNT_SIGN_IN", "ADDRESS_CONFIRMATION"})
LEFT_OUT = "(left out: it lets its reader in)"


def without(type_key: str | None, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a message says, empty of its texts if they are a key. `type_key` None: nobody knows any more."""
    if type_key is not None and type_key not in TYPES:
        return dict(said)
    return {name: _emptied(value) for name, value in said.items()}


def _emptied(value: Any) -> Any:
    if isinstance(value, dict | list):
        return type(value)()
    return LEFT_OUT if value else value
