"""When a message that may go out goes out: not in quiet hours, not all at the moment they end, or in a digest. Pure.

in_app is never put off: it rings nowhere. Urgent categories break through; a high priority alone does not.
"""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from preferences import quiet_hours
from preferences.decisions import CategoryFacts, Facts, Person, Verdict
from preferences.quiet_hours import QuietHours

QUIET_HOURS = "quiet_hours"
DIGESTED = "digested"  # it waits for the person's daily digest
DAILY_DIGEST = "DAILY_DIGEST"  # key of the type that the digest itself is of
DIGESTS_HOLD = "What you asked to get together once a day, and what your limits held back."


def quiet_until(person: Person, category: CategoryFacts, channel: str, now: datetime) -> datetime | None:
    """Return when the quiet hours end that hold back this channel now, in UTC; None when nothing does."""
    quiet = _quiet_hours(person, category, channel)
    return quiet_hours.ends(quiet, now) if quiet is not None else None


def release_at(person: Person, end: datetime, delivery_id: UUID, spread: timedelta) -> datetime:
    """Return when a delivery goes that waits for quiet hours to end: spread over `spread`, the same for the same id.

    Not so late that it meets the next quiet hours.
    """
    share = int.from_bytes(delivery_id.bytes[-4:]) / 2**32
    moment = end + timedelta(seconds=int(spread.total_seconds() * share))
    quiet = quiet_hours.read(person.quiet_hours, zone=person.timezone)
    return end if quiet is not None and quiet_hours.ends(quiet, moment) is not None else moment


def words(person: Person, end: datetime) -> str:
    """Return a sentence for the person on why it waits: until less than nine days from now, so a day's name may do."""
    quiet = quiet_hours.read(person.quiet_hours, zone=person.timezone)
    local = end.astimezone(quiet_hours.zone_of(quiet.zone if quiet else person.timezone))
    return f"Your quiet hours last until {local:%A, %H:%M}, so it waits until then."


def gathered(facts: Facts, channel: str) -> Verdict | None:
    """Return the verdict on what the person wants in their daily digest, None where that does not concern it.

    in_app is told at once all the same, a required channel too.
    """
    if facts.person.digests.get(facts.category.key) != "daily" or channel == "in_app":
        return None
    if channel in facts.category.required or facts.type_key == DAILY_DIGEST or facts.asks is not None:
        return None
    return Verdict(False, "digest", "person", DIGESTED, f"You get {facts.category.name} in your daily digest.")


def digest_day(person: Person, now: datetime, usual: str) -> date:
    """Return the local date of the person's next digest. `usual`: the time of day of those who chose none ("09:00")."""
    zone = quiet_hours.zone_of(person.timezone)
    today = now.astimezone(zone).date()
    day = today if digest_moment(person, today, usual) > now else today + timedelta(days=1)
    # A date that a country leaves out has no digest, or the next one would have two.
    left_out = digest_moment(person, day, usual).astimezone(zone).date() != day
    return day + timedelta(days=1) if left_out else day


def digest_moment(person: Person, day: date, usual: str) -> datetime:
    """Return when the person's digest of a local date is due, in UTC: at one moment, also when clocks change."""
    at = time.fromisoformat(person.digest_at or usual)
    return quiet_hours.local_moment(day, at, quiet_hours.zone_of(person.timezone))


def _quiet_hours(person: Person, category: CategoryFacts, channel: str) -> QuietHours | None:
    if not person.quiet_hours or channel == "in_app" or category.urgent:
        return None
    return quiet_hours.read(person.quiet_hours, zone=person.timezone)
