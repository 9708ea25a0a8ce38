"""Rows that are addresses nobody may use: a channel, an address and why."""

from collections.abc import Sequence

from preferences import addresses, suppressions
from preferences.channels import CHANNELS
from preferences.consent import Origin
from preferences.imports.columns import Shape
from preferences.imports.outcome import Outcome, Row
from preferences.suppressions import Reason, Unwanted
from project.foundation.problems import Fault

REASONS = (Reason.BOUNCE, Reason.COMPLAINT, Reason.STOP, Reason.OPERATOR)
_CHANNELS = [key for key, channel in CHANNELS.items() if channel.addressed]


class Blocking:
    """No row lifts a suppression, and of one that is there already the first reason stays."""

    shape = Shape(("channel", "address"), ("reason",))

    def check(self, rows: Sequence[Row]) -> list[Outcome]:
        read = [_read(row) for row in rows]
        return _outcomes(read, suppressions.preview(_good(read)))

    def write(self, rows: Sequence[Row], origin: Origin) -> list[Outcome]:
        read = [_read(row) for row in rows]
        done = suppressions.suppress(_good(read), origin=origin)
        return _outcomes(read, {(each.channel, each.address) for each in done})


def _read(row: Row) -> Unwanted | list[Fault]:
    channel = row.cells["channel"].strip().lower()
    reason = row.cells.get("reason", "").strip().lower() or Reason.OPERATOR.value
    faults = []
    if reason not in REASONS:
        faults.append(Fault("/reason", "invalid_value", f"A reason is one of {', '.join(REASONS)}."))
    if channel not in _CHANNELS:
        return [Fault("/channel", "invalid_value", f"A channel is one of {', '.join(_CHANNELS)}."), *faults]
    try:
        address = addresses.normalise(channel, row.cells["address"])
    except addresses.InvalidAddress as error:
        return [Fault("/address", "invalid_address", str(error)), *faults]
    return faults or Unwanted(channel, address, reason)


def _good(read: Sequence[Unwanted | list[Fault]]) -> list[Unwanted]:
    return [each for each in read if isinstance(each, Unwanted)]


def _outcomes(read: Sequence[Unwanted | list[Fault]], news: set[tuple[str, str]]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for each in read:
        if not isinstance(each, Unwanted):
            outcomes.append(each)
            continue
        key = (each.channel, each.address)
        outcomes.append("new" if key in news else "unchanged")
        news.discard(key)  # the same address again is no news
    return outcomes
