"""Turns what the benchmarks of single matters return into rows with goals; their modules say what they measure."""

from collections.abc import Mapping
from typing import Any

from tests.benchmarks.harness import Measured, Part, Ratio

_LAYOUTS = {
    "carillon": "Carillon's live hub",
    "raw": "raw ASGI hub (one subscription, a dictionary)",
    "layer": "Channels' Redis layer, a group for each user",
}
_ROUTES = {
    "send": "POST /notifications/send",
    "bulk": "POST /notifications/bulk, calls of 500",
    "keyed": "plain DRF view: serializer, save(), key looked up by the ORM",
    "plain": "plain DRF view: serializer, save(), no key",
    "empty": "empty DRF view",
}
_ACCEPTANCE = {  # ratio: (name, must, aim)
    "send / keyed": ("send : plain DRF view with a key look-up", 2.0, 3.0),
    "send / plain": ("send : plain DRF view without a key", 1.5, 2.0),
    "send / empty": ("send : empty DRF view", 0.30, 0.45),
    "bulk / send": ("notifications by bulk of 500 : by single sends", 12.0, 20.0),
}


def live(found: Mapping[str, Any]) -> Part:
    part = Part("live", "The live inbox: frames to open sockets, each person their own")
    for size, layouts in found.items():
        sockets = f"{int(size):,} sockets"
        for key, name in _LAYOUTS.items():
            rates = layouts[key]["rates"]
            part.measured.append(Measured(f"{name}, {sockets}", "/s", rates, note=f"{layouts[key]['faults']} faults"))
        ours, raw, layer = (layouts[key]["rates"] for key in _LAYOUTS)
        part.ratios += [
            Ratio(f"live hub : raw ASGI, {sockets}", _each(ours, raw), must=0.6, aim=0.8),
            Ratio(f"live hub : channel layer, {sockets}", _each(ours, layer), must=8, aim=15),
            _memory(f"live hub, memory of a socket, {sockets}", layouts["carillon"]["kb"]),
        ]
        if layouts["carillon"]["faults"]:
            part.error = f"{layouts['carillon']['faults']} sockets missed or repeated a frame."
    return part


def acceptance(found: Mapping[str, Any]) -> Part:
    part = Part("acceptance", "Accepting: POST /send and /bulk, beside plain views in the same processes")
    part.measured = [
        Measured(name, "/s", [found["per_s"][key]], note=f"spread of its rounds {found['spread'][key]:.0%}")
        for key, name in _ROUTES.items()
    ]
    part.ratios = [
        Ratio(name, [found["ratios"][key]], must=must, aim=aim) for key, (name, must, aim) in _ACCEPTANCE.items()
    ]
    part.facts = {"ledger": found["ledger"]}
    if not found["ledger"]["right"]:
        part.error = "Not every 202 has its row."
    return part


def embedded(found: Mapping[str, Any]) -> Part:
    part = Part("embedded", "Embedded: one process on SQLite")
    part.measured = [
        Measured("in-app items of a broadcast", "/s", found["rates"]),
        Measured("idle: POST to the frame on the socket, median", "ms", [found["p50_ms"]]),
        Measured("memory of the whole process", "MB", [found["mb"]]),
    ]
    part.ratios = [
        Ratio("in-app items a second", found["rates"], unit="/s", must=3000, aim=6000),
        Ratio("idle: POST to socket, p95", [found["p95_ms"]], unit="ms", must=60, aim=30, less_is_better=True),
    ]
    part.facts = {"others' sends during the broadcast": found["beside"]}
    return part


def _each(ours: list[float], theirs: list[float]) -> list[float]:
    """Compare round by round; a peer that failed in a round is left out of it."""
    return [a / b for a, b in zip(ours, theirs, strict=False) if b]


def _memory(name: str, kilobytes: float) -> Ratio:
    return Ratio(name, [kilobytes], unit="kB", must=30, aim=24, less_is_better=True)
