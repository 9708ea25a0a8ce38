"""Times in query strings."""

from datetime import datetime

from django.utils.dateparse import parse_datetime


def moment(text: str) -> datetime | None:
    """Return an RFC 3339 time of a query string; None when it is none, lacks its zone or lies before 1970."""
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        found = parse_datetime(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None and 1970 < found.year < 9999 else None
