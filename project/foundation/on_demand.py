"""Modules that few processes need and that many would pay for."""

from importlib import import_module
from typing import Any


class OnDemand:
    """Stands for a module, and loads it when something of it is first asked for.

    if TYPE_CHECKING:
        import aiohttp
    else:
        aiohttp = OnDemand("aiohttp")
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)
