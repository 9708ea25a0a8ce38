"""Liquid's filters, bounded, and our own: money, numbers and times in the reader's language and time zone."""

import functools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates
from liquid import Environment
from liquid.exceptions import FilterArgumentError, FilterError
from liquid.filter import with_context
from liquid.stringify import to_liquid_string
from liquid.undefined import Undefined, is_undefined

from templates_app import liquid_numbers

MAX_TEXT = 1_000_000  # characters that one filter may make
MAX_ITEMS = 10_000
MAX_BITS = 1_024  # of a whole number: multiplying grows them without end
TIME_LIMIT = 2.0  # seconds for one part of one message

_JSON = json.JSONEncoder(ensure_ascii=False)  # json.dumps makes one for each call
_REMEMBERED = 40  # characters of an amount that is worth remembering
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

# Not a string, so that no template can name it.
READER: Any = object()


@dataclass(frozen=True)
class Reader:
    """Whose eyes a text is for."""

    locale: Locale
    timezone: ZoneInfo
    deadline: float = 0.0  # time.monotonic()

    def starting_now(self) -> "Reader":
        return replace(self, deadline=time.monotonic() + TIME_LIMIT)

    def is_late(self) -> bool:
        return time.monotonic() > self.deadline


class JsonText(str):
    """A JSON value already written out."""


def inside_json(value: object) -> str:
    """Return `value` as it may stand inside the quotes of a JSON string, or as it is when `| json` wrote it."""
    if isinstance(value, JsonText):
        return value
    return _JSON.encode(to_liquid_string(value, autoescape=False))[1:-1]


def register(environment: Environment) -> None:
    """Bound the standard filters, add ours. `safe` and `escapejs` go: payloads hold no HTML, messages no scripts."""
    for name in ("safe", "escapejs"):
        del environment.filters[name]
    for name, standard in environment.filters.items():
        environment.filters[name] = _bounded(standard, _CHECKS.get(name))
    environment.filters |= {
        "money": money,
        "number": number,
        "percent": percent,
        "local_date": local_date,
        "local_time": local_time,
        "local_datetime": local_datetime,
        "json": to_json,
    }


def to_json(value: object) -> JsonText:
    """`{{ order | json }}`: any value, written as JSON."""
    if is_undefined(value):
        str(value)  # raises where missing variables are faults
        value = None
    try:
        return JsonText(_JSON.encode(value))
    except (TypeError, ValueError) as error:
        raise FilterError(f"json: {error}", token=None) from error


@with_context
def money(value: object, currency: object, *, context: Any) -> str:
    """`{{ 1234.5 | money: "EUR" }}` → €1,234.50, 1.234,50 €"""
    amount, code, locale = str(value), str(currency), _reader(context).locale
    if len(amount) < _REMEMBERED and len(code) < _REMEMBERED:
        return _written_amount(amount, code, locale)
    return _written_amount.__wrapped__(amount, code, locale)


@with_context
def number(value: object, decimals: object = None, *, context: Any) -> str:
    """`{{ 1234.5 | number }}` → 1,234.5; `{{ 3 | number: 2 }}` → 3.00"""
    locale, amount = _reader(context).locale, _decimal(value, "number")
    if decimals is None:
        return liquid_numbers.decimal(locale)(amount)
    places = _decimal(decimals, "number")
    if not 0 <= places <= 10:
        raise FilterArgumentError("number: between 0 and 10 decimals", token=None)
    pattern = "#,##0" + ("." + "0" * int(places) if places >= 1 else "")
    return liquid_numbers.decimal(locale, pattern)(amount)


@with_context
def percent(value: object, *, context: Any) -> str:
    """`{{ 0.25 | percent }}` → 25%"""
    return liquid_numbers.percent(_reader(context).locale)(_decimal(value, "percent"))


@with_context
def local_date(value: object, style: object = "medium", *, context: Any) -> str:
    """`{{ order.placed_at | local_date }}` → Nov 21, 2026; style: short, medium, long, full or a CLDR pattern."""
    reader = _reader(context)
    moment = _moment(value, "local_date")
    day = moment.astimezone(reader.timezone).date() if isinstance(moment, datetime) else moment
    return _written_day(day, _style(style), reader.locale)


@with_context
def local_time(value: object, style: object = "short", *, context: Any) -> str:
    """`{{ order.placed_at | local_time }}` → 7:05 PM"""
    reader = _reader(context)
    moment = _with_time(value, "local_time")
    return dates.format_time(moment, format=_style(style), tzinfo=reader.timezone, locale=reader.locale)


@with_context
def local_datetime(value: object, style: object = "medium", *, context: Any) -> str:
    """`{{ order.placed_at | local_datetime }}` → Nov 21, 2026, 7:05:00 PM"""
    reader = _reader(context)
    moment = _with_time(value, "local_datetime")
    return dates.format_datetime(moment, format=_style(style), tzinfo=reader.timezone, locale=reader.locale)


# A price stands in more than one part of a message, and in the messages of many.
@functools.lru_cache(maxsize=4096)
def _written_amount(amount: str, code: str, locale: Locale) -> str:
    if not _CURRENCY.fullmatch(code):
        raise FilterArgumentError("money: what it was given is no ISO 4217 currency code", token=None)
    return liquid_numbers.currency(locale, code)(_decimal(amount, "money"))


@functools.lru_cache(maxsize=4096)
def _written_day(day: date, style: Any, locale: Locale) -> str:
    return dates.format_date(day, format=style, locale=locale)


def forget() -> None:
    """Drop the amounts and days that were written before: for measurements, where every person is a new one."""
    _written_amount.cache_clear()
    _written_day.cache_clear()


def _reader(context: Any) -> Reader:
    reader: Reader = context.globals[READER]
    return reader


def _decimal(value: object, filter_name: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    # A thousand digits cost nothing to write in an exponent ("1e999999").
    if not amount.is_finite() or abs(amount.adjusted()) > 30:
        raise FilterArgumentError(f"{filter_name}: what it was given is no number", token=None)
    return amount


def _moment(value: object, filter_name: str) -> datetime | date:
    """Read an RFC 3339 time, a plain date, seconds since 1970 or "now". A time without a zone is UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, tz=UTC)
        text = str(value).strip()
        if text in ("now", "today"):
            return datetime.now(tz=UTC)
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise FilterArgumentError(f"{filter_name}: what it was given is no date", token=None) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _with_time(value: object, filter_name: str) -> datetime:
    moment = _moment(value, filter_name)
    if not isinstance(moment, datetime):
        raise FilterArgumentError(f"{filter_name}: what it was given has no time of day", token=None)
    return moment


def _style(style: object) -> Any:
    return str(style)[:50]


def _bounded(standard: Callable[..., Any], check: Callable[..., None] | None) -> Callable[..., Any]:
    """Return a standard filter that cannot be made to fill the memory."""

    @functools.wraps(standard)
    def bounded(value: object, *args: object, **kwargs: Any) -> Any:
        if isinstance(value, range) and len(value) > MAX_ITEMS:
            raise FilterError(f"more than {MAX_ITEMS} items", token=None)
        if check is not None and not isinstance(value, Undefined):
            check(value, *args)
        result = standard(value, *args, **kwargs)
        if isinstance(result, str) and len(result) > MAX_TEXT:
            raise FilterError("this makes too long a text", token=None)
        if isinstance(result, int) and result.bit_length() > MAX_BITS:
            raise FilterError("this makes too large a number", token=None)
        return result

    return bounded


def _check_replace(value: object, seek: object = "", substitute: object = "", *_: object) -> None:
    text, found, put = str(value), str(seek), str(substitute)
    if len(text) + text.count(found) * max(0, len(put) - len(found)) > MAX_TEXT:
        raise FilterError("replace: this makes too long a text", token=None)


def _check_join(value: object, separator: object = " ", *_: object) -> None:
    if isinstance(value, list | tuple | range) and len(value) * len(str(separator)) > MAX_TEXT:
        raise FilterError("join: this makes too long a text", token=None)


def _check_date(_value: object, pattern: object = "", *_: object) -> None:
    # strftime pads to any width it is told: "%999999999d".
    if len(str(pattern)) > 200 or re.search(r"%[-_0^#]*\d{3}", str(pattern)):
        raise FilterArgumentError("date: this format is too long", token=None)


_CHECKS: dict[str, Callable[..., None]] = {"replace": _check_replace, "join": _check_join, "date": _check_date}
