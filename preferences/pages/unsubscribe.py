"""Unsubscribing from what a mail's link names. A GET shows, the POST acts; neither asks for a cookie or a sign-in.

RFC 8058: mail programs POST `List-Unsubscribe=One-Click` to the address in the List-Unsubscribe header without cookies,
and follow no redirect. Scanners open the same address by GET, some run its scripts: that must change nothing.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from preferences import consent, links
from preferences.consent import Choice, Origin
from preferences.links import Stop
from preferences.models import ConsentRecord, Preference
from preferences.pages import language, wording
from project.foundation.client_ip import client_ip

_SOURCE = "one_click"  # in the ledger
_STATES: dict[str, bool | None] = {"yes": True, "no": False, "unset": None}


@dataclass(frozen=True)
class State:
    """What the page says. `before`: the choice that an undo brings back; "" where there is nothing to undo."""

    stop: Stop
    locked: bool
    stopped: bool
    before: str = ""
    undone: bool = False

    @property
    def by(self) -> str:
        return wording.by(self.stop.channel)


# Nothing to forge: whoever can make this request holds the link, and a mail program has no token of ours.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    stop = links.stop(token)
    if stop is None:
        return render(request, "preferences/link_over.html", status=404)
    language.speak(stop.user.locale)
    state = _act(request, stop) if request.method == "POST" else _state(stop)
    answer = render(
        request,
        "preferences/unsubscribe.html",
        {"state": state, "settings_url": links.settings_url_of(stop)},
    )
    answer["Referrer-Policy"] = "no-referrer"  # the address is the key to the page
    return answer


def _act(request: HttpRequest, stop: Stop) -> State:
    """Switch the channel off for the category, or take that back. Repeats change nothing.

    An undo brings back what the ledger says, not what the request does: the link can stop, and consent to nothing.
    """
    state = _state(stop)
    undo = bool(request.POST.get("undo"))
    if state.locked or state.stopped != undo or (undo and not state.before):
        return state
    _write(request, stop, _STATES[state.before] if undo else False)
    return State(stop, locked=False, stopped=not undo, before="" if undo else _before(stop), undone=undo)


def _state(stop: Stop) -> State:
    locked = stop.channel in stop.category.required_channels
    stopped = not locked and _choice(stop) is False
    return State(stop, locked=locked, stopped=stopped, before=_before(stop) if stopped else "")


def _before(stop: Stop) -> str:
    """Return the choice that such a link has ended last: "yes" or "unset"; "" where another way has."""
    subject = Choice(None, stop.category, stop.channel).subject
    line = ConsentRecord.objects.filter(user=stop.user, subject=subject).first()
    ended_here = line is not None and line.source == _SOURCE and line.new == "no" and line.old in _STATES
    return line.old if line is not None and ended_here else ""


def _choice(stop: Stop) -> bool | None:
    found = Preference.objects.filter(user=stop.user, category=stop.category, channel=stop.channel)
    return found.values_list("enabled", flat=True).first()


def _write(request: HttpRequest, stop: Stop, enabled: bool | None) -> None:
    origin = Origin(
        source=_SOURCE,
        actor=f"user:{stop.user.user_id}",
        ip=client_ip(request),
        agent=request.headers.get("User-Agent", ""),
        wording=wording.VERSION,
    )
    consent.apply(stop.user, choices=[Choice(enabled, stop.category, stop.channel)], origin=origin)
