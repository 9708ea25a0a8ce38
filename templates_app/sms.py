"""How many text messages a text becomes. Source: 3GPP TS 23.038 §6.2.1."""

from dataclasses import dataclass

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_ESCAPED = frozenset("\f^{}\\[~]|€")  # two units each


@dataclass(frozen=True)
class Size:
    units: int
    segments: int
    unicode: bool  # 70 instead of 160 in a message: one character outside the GSM alphabet is enough


def size(text: str) -> Size:
    """Return what a text costs. A message of several parts spends some of each on joining them."""
    if all(character in _GSM or character in _GSM_ESCAPED for character in text):
        units = sum(2 if character in _GSM_ESCAPED else 1 for character in text)
        return Size(units, _segments(units, 160, 153), unicode=False)
    units = len(text.encode("utf-16-le")) // 2
    return Size(units, _segments(units, 70, 67), unicode=True)


def _segments(units: int, alone: int, joined: int) -> int:
    return 1 if units <= alone else -(-units // joined)
