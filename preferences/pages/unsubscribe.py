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
from preferences.models import Preference
from preferences.pages import language, wording
from project.foundation.client_ip import client_ip

_STATES: dict[str, bool | None] = {"yes": True, "no": False, "unset": None}


@dataclass(frozen=True)
class State:
    """What the page says. `before`: the choice that an undo brings back."""

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
        {"state": state, "settings_url": links.settings_url(stop.user.pk, stop.user.link_generation)},
    )
    answer["Referrer-Policy"] = "no-referrer"  # the address is the key to the page
    return answer


def _act(request: HttpRequest, stop: Stop) -> State:
    """Switch the channel off for the category, or take that back. Repeats change nothing."""
    state = _state(stop)
    undo = request.POST.get("undo", "")
    if state.locked or (state.stopped and not undo):
        return state
    before = _choice(stop)
    wanted = _STATES.get(undo) if undo else False
    _write(request, stop, wanted)
    return State(stop, locked=False, stopped=wanted is False, before=_word(before), undone=bool(undo))


def _state(stop: Stop) -> State:
    locked = stop.channel in stop.category.required_channels
    return State(stop, locked=locked, stopped=not locked and _choice(stop) is False, before="unset")


def _choice(stop: Stop) -> bool | None:
    found = Preference.objects.filter(user=stop.user, category=stop.category, channel=stop.channel)
    return found.values_list("enabled", flat=True).first()


def _write(request: HttpRequest, stop: Stop, enabled: bool | None) -> None:
    origin = Origin(
        source="one_click",
        actor=f"user:{stop.user.user_id}",
        ip=client_ip(request),
        agent=request.headers.get("User-Agent", ""),
        wording=wording.VERSION,
    )
    consent.apply(stop.user, choices=[Choice(enabled, stop.category, stop.channel)], origin=origin)


def _word(enabled: bool | None) -> str:
    return next(word for word, value in _STATES.items() if value is enabled)
