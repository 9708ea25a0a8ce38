"""Numbers and amounts as CLDR writes them: what Babel finds out anew for each is found out once, for each locale."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale, numbers


@dataclass(frozen=True)
class Frame:
    """A pattern with a locale's signs in it. Index 0 is for numbers from zero up, 1 for those below."""

    before: tuple[str, str]
    after: tuple[str, str]
    group: str
    groups: tuple[int, int]  # digits in the last group, and in those before it
    point: str
    decimals: tuple[int, int]  # at least, at most
    shift: int  # 2 for percent
    step: Decimal  # what a number is rounded to, half to even

    def __call__(self, number: Decimal) -> str:
        """Return `number` written out. Raises InvalidOperation for one of more than 28 digits, like Babel."""
        if self.shift:
            number = number.scaleb(self.shift)
        below = number.is_signed()
        whole, _, decimals = f"{abs(number).quantize(self.step):f}".partition(".")
        least = self.decimals[0]
        if len(decimals) > least:
            decimals = decimals[:least] + decimals[least:].rstrip("0")
        if len(whole) > self.groups[0]:
            whole = self._grouped(whole)
        return f"{self.before[below]}{whole}{self.point if decimals else ''}{decimals}{self.after[below]}"

    def _grouped(self, digits: str) -> str:
        size, rest = self.groups
        found = []
        while len(digits) > size:
            found.append(digits[-size:])
            digits, size = digits[:-size], rest
        return self.group.join([digits, *reversed(found)])


@lru_cache(maxsize=1000)
def currency(locale: Locale, code: str) -> Callable[[Decimal], str]:
    """Return what writes amounts of a currency (ISO 4217)."""
    pattern = numbers.parse_pattern(locale.currency_formats["standard"])
    places = numbers.get_currency_precision(code)
    symbol = numbers.get_currency_symbol(code, locale)
    frame = _frame(pattern, locale, (places, places), symbol)
    return frame or (lambda amount: str(numbers.format_currency(amount, code, locale=locale)))


@lru_cache(maxsize=1000)
def decimal(locale: Locale, form: str | None = None) -> Callable[[Decimal], str]:
    """Return what writes numbers, by a CLDR pattern or as the locale does."""
    pattern = numbers.parse_pattern(form or locale.decimal_formats[None])
    frame = _frame(pattern, locale, pattern.frac_prec)
    return frame or (lambda number: str(numbers.format_decimal(number, format=form, locale=locale)))


@lru_cache(maxsize=1000)
def percent(locale: Locale) -> Callable[[Decimal], str]:
    """Return what writes 0.25 as 25%."""
    pattern = numbers.parse_pattern(locale.percent_formats[None])
    frame = _frame(pattern, locale, pattern.frac_prec)
    return frame or (lambda number: str(numbers.format_percent(number, locale=locale)))


def _frame(pattern: numbers.NumberPattern, locale: Locale, decimals: tuple[int, int], symbol: str = "") -> Frame | None:
    """Return a pattern's frame; None where only Babel itself knows what to do: exponents, quotes, padding."""
    signs = (*pattern.prefix, *pattern.suffix, symbol)
    group, point = numbers.get_group_symbol(locale), numbers.get_decimal_symbol(locale)
    plain = not pattern.exp_prec and "@" not in pattern.pattern and pattern.int_prec[0] <= 1
    if not plain or any("'" in sign for sign in (*signs, group, point)) or any("¤¤" in sign for sign in signs):
        return None
    before = (pattern.prefix[0].replace("¤", symbol), pattern.prefix[1].replace("¤", symbol))
    after = (pattern.suffix[0].replace("¤", symbol), pattern.suffix[1].replace("¤", symbol))
    step = Decimal(1).scaleb(-decimals[1])
    return Frame(before, after, group, pattern.grouping, point, decimals, pattern.scale, step)
