"""The parts of the settings page that send something: adding an address, and asking it to be confirmed."""

from uuid import UUID

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from notifications import address_questions
from preferences import addresses, confirmations, contact_points
from preferences.confirmations import AskedTooOften
from preferences.consent import Origin
from preferences.contact_points import AlreadyTheirs
from preferences.decisions import CONFIRMED_BY_OWNERS
from preferences.models import ContactPoint, User
from preferences.pages.outcomes import Outcome, Refused, Saved
from preferences.pages.reachable_at import SECTION
from project.foundation.problems import Conflict


def add(user: User, form: QueryDict, origin: Origin) -> Outcome:
    """Note the "address" that somebody typed, an e-mail address or a phone number, and ask it to be confirmed."""
    typed = form.get("address", "").replace("\0", "").strip()[:320]
    channel = "email" if "@" in typed else "sms"
    try:
        address = addresses.normalise(channel, typed)
    except addresses.InvalidAddress:
        return _refused(_what_is_wrong(typed), typed)
    try:
        with transaction.atomic():
            point = contact_points.propose(user, channel=channel, address=address)
            address_questions.send(point)
    except AlreadyTheirs:
        return _refused(_("You have this address already."), typed)
    except Conflict:
        return _refused(_("You have too many addresses. Remove one first."), typed)
    except AskedTooOften:
        return _refused(_too_often(), typed)
    return Saved(_sent(point))


def confirm(user: User, form: QueryDict, origin: Origin) -> Outcome:
    """Send the question again ("ask"), or take the "code" that came to an address ("point")."""
    point = _find(user, form.get("ask") or form.get("point", ""))
    if point is None:
        return Saved()
    if "ask" in form:
        return _ask(point)
    if confirmations.confirm_by_code(point, form.get("code", ""), origin):
        return Saved(_("Confirmed. %(address)s is in use.") % {"address": contact_points.masked(point)})
    error = _("This code is wrong, or its time is over. Check it, or ask for a new one.")
    return Refused(SECTION, {"code": error}, {"at": str(point.pk)})


def _ask(point: ContactPoint) -> Outcome:
    try:
        address_questions.send(point)
    except AskedTooOften:
        return Refused(SECTION, {"ask": _too_often()}, {"at": str(point.pk)})
    return Saved(_sent(point))


def _find(user: User, id: str) -> ContactPoint | None:
    """Return an address of this person that its owner may still confirm."""
    try:
        rows = user.contact_points.select_related("user").filter(pk=UUID(id), channel__in=CONFIRMED_BY_OWNERS)
    except ValueError:
        return None
    point = rows.filter(confirmed_at=None).first()
    return point if point is not None and confirmations.may_be_asked(point) else None


def _refused(error: str, typed: str) -> Refused:
    return Refused(SECTION, {"address": error}, {"address": typed})


def _what_is_wrong(typed: str) -> str:
    if not typed:
        return _("Enter an e-mail address or a phone number.")
    if "@" in typed:
        return _("This is no e-mail address. One looks like name@example.com.")
    return _("This is no complete phone number. Begin with + and the country code, as in +49 30 123456.")


def _too_often() -> str:
    return _("We have asked often enough for now. Try again in an hour.")


def _sent(point: ContactPoint) -> str:
    words = {"address": contact_points.masked(point)}
    if point.channel == "email":
        return _("We sent a link to %(address)s. Open it within 24 hours to confirm the address.") % words
    return _("We sent a code to %(address)s. Enter it here within 10 minutes.") % words
