"""What all services that reach phones need: numbers that can be numbers, texts that fit, a sender for each country."""

import re

import phonenumbers

from notifications.providers.base import Message, Outcome
from templates_app import sms

_E164 = re.compile(r"\+[1-9]\d{6,14}")  # ITU-T E.164: at most fifteen digits
_COUNTRY = re.compile(r"[A-Z]{2}|\*")
# One for all countries; or by country, with * for the rest, as an object or as text: "DE=Shop, US=+12025550123".
Senders = str | dict[str, str]

_MOST_SEGMENTS = 10  # what services and carriers join; a longer text arrives in pieces or not at all


def unsendable(message: Message, *, longest: int, part: str = "text") -> Outcome | None:
    """Return the outcome of a message that no service would take, without asking one. `longest` in characters."""
    text = message.parts[part]
    if not _E164.fullmatch(message.to):
        return Outcome.recipient("This is not a phone number in E.164 form.")
    if not text.strip():
        return Outcome.recipient("There is nothing to say.")
    if len(text) > longest:
        return Outcome.recipient(f"The {part} has {len(text)} characters, {longest} are possible.")
    segments = sms.size(text).segments if part == "text" else 1
    if segments > _MOST_SEGMENTS:
        return Outcome.recipient(f"The text would be {segments} messages, {_MOST_SEGMENTS} are possible.")
    return None


def check_senders(value: Senders) -> None:
    """Raise ValueError unless this is a sender, or countries with theirs: "DE=Shop, US=+12025550123, *=+4930123456"."""
    senders = _by_country(value)
    if not senders or not all(senders.values()):
        raise ValueError("Name a sender: a number, a name, or one for each country.")
    for country in senders:
        if not _COUNTRY.fullmatch(country):
            raise ValueError(f"{country!r} is not a country: write DE=Shop, US=+12025550123, *=+4930123456.")


def sender(value: Senders, to: str) -> str:
    """Return the sender for a number in E.164 form; "" where its country has none."""
    senders = _by_country(value)
    return senders.get(country(to)) or senders.get("*", "")


def _by_country(value: Senders) -> dict[str, str]:
    if not isinstance(value, str):
        return value
    if "=" not in value:
        return {"*": value.strip()}
    pairs = (pair.partition("=") for pair in value.split(",") if pair.strip())
    return {country.strip(): number.strip() for country, _, number in pairs}


def country(number: str) -> str:
    """Return the country of a number in E.164 form, as "DE"; "" where it has none or is no number."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        return ""
