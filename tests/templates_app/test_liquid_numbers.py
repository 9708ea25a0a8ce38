"""Numbers written by a frame are what Babel writes, in every locale that it knows."""

from decimal import Decimal

import pytest
from babel import Locale, numbers
from babel.localedata import locale_identifiers
from hypothesis import given, settings
from hypothesis import strategies as st

from templates_app import liquid_numbers

LOCALES = sorted(locale_identifiers())
CURRENCIES = ["EUR", "USD", "JPY", "KWD", "CHF", "INR", "XXX", "CLF", "ZZZ"]
AMOUNTS = [
    Decimal(text) for text in ("0", "-0.001", "0.005", "12.5", "-1234567.895", "999.995", "1E+20", "12345678901234")
]

amounts = st.decimals(min_value=-(10**15), max_value=10**15, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("language", sorted({name.split("_")[0] for name in LOCALES}))
def test_every_language_writes_numbers_as_babel_does(language: str) -> None:
    for name in LOCALES:
        if name.split("_")[0] != language:
            continue
        locale = Locale.parse(name)
        for amount in AMOUNTS:
            assert liquid_numbers.decimal(locale)(amount) == numbers.format_decimal(amount, locale=locale)
            assert liquid_numbers.percent(locale)(amount) == numbers.format_percent(amount, locale=locale)
            for code in ("EUR", "JPY", "KWD"):
                said = liquid_numbers.currency(locale, code)(amount)
                assert said == numbers.format_currency(amount, code, locale=locale)


@settings(max_examples=300, deadline=None)
@given(amounts, st.sampled_from(LOCALES), st.sampled_from(CURRENCIES), st.integers(0, 10))
def test_any_amount_is_written_as_babel_does(amount: Decimal, name: str, code: str, places: int) -> None:
    locale, form = Locale.parse(name), "#,##0" + ("." + "0" * places if places else "")

    assert liquid_numbers.currency(locale, code)(amount) == numbers.format_currency(amount, code, locale=locale)
    assert liquid_numbers.decimal(locale)(amount) == numbers.format_decimal(amount, locale=locale)
    assert liquid_numbers.decimal(locale, form)(amount) == numbers.format_decimal(amount, format=form, locale=locale)
    assert liquid_numbers.percent(locale)(amount) == numbers.format_percent(amount, locale=locale)


def test_most_locales_need_babel_once_only() -> None:
    framed = [isinstance(liquid_numbers.currency(Locale.parse(name), "EUR"), liquid_numbers.Frame) for name in LOCALES]

    assert framed.count(True) > len(framed) * 0.9
