"""Notification settings: forms that work without JavaScript; preferences.js posts them in place, one switch at a time.

Each section has a form and an address of its own; what is sent are the moved things alone.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from preferences import consent, links, loading, quiet_hours
from preferences.models import Category, User
from preferences.pages import changes, digest, grid, language, pause, quiet, reachable_at, spoken, wording
from preferences.pages.outcomes import Outcome, Refused, Saved, read_token
from project.foundation.client_ip import client_ip

_SAVED = "preferences_saved"  # in the session, for the page after the redirect

Page = Callable[..., HttpResponse]
Change = Callable[[User, QueryDict, consent.Origin], Outcome]
# By the first word of what takes a change back; what has none is a switch of the grid.
_BACK: Mapping[str, Callable[[User, Any, consent.Origin], bool]] = {
    "pause": pause.restore,
    quiet.SECTION: quiet.restore,
    digest.SECTION: digest.restore,
    reachable_at.SECTION: reachable_at.restore,
    spoken.SECTION: spoken.restore,
}


def for_its_owner(view: Callable[[HttpRequest, User, str], HttpResponse]) -> Page:
    """Give a page the person whose settings it shows: the owner of the link, or whoever is signed in."""

    @wraps(view)
    @never_cache
    def page(request: HttpRequest, token: str = "") -> HttpResponse:
        if not token:
            return login_required(lambda request: _in_their_zone(view, request, request.user, ""))(request)
        owner = links.owner(token)
        if owner is None:
            return render(request, "preferences/link_over.html", status=410)
        language.speak(owner.locale)
        answer = _in_their_zone(view, request, owner, token)
        answer["Referrer-Policy"] = "same-origin"  # the address is the key to the page
        return answer

    return page


@for_its_owner
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest, user: User, token: str) -> HttpResponse:
    """Show the settings; store the switches that were moved."""
    if request.method != "POST":
        return _show(request, user, token)
    page = grid.build(user.pk)
    moved = changes.moved(page, shown=request.POST.getlist("shown"), on=request.POST.getlist("on"))
    restore = changes.apply(user, moved, _origin(request, user))
    text = changes.sentence(page, moved) if moved else ""
    return _answer(request, user, token, Saved(text, tuple(restore)))


def section(change: Change) -> Page:
    """Return the page that a section's form is sent to: it stores, or shows the form again with what is wrong."""

    @for_its_owner
    @require_POST
    def page(request: HttpRequest, user: User, token: str) -> HttpResponse:
        outcome = change(user, request.POST, _origin(request, user))
        if isinstance(outcome, Refused):
            return _show(request, user, token, outcome)
        return _answer(request, user, token, outcome)

    return page


@for_its_owner
@require_POST
def undo(request: HttpRequest, user: User, token: str) -> HttpResponse:
    """Take the last change back."""
    tokens, origin = request.POST.getlist("restore"), _origin(request, user)
    back = changes.restoring(grid.build(user.pk), restore=tokens)
    changes.apply(user, back, origin)
    done = bool(back)
    for kind, value in map(read_token, tokens):
        done = (kind in _BACK and _BACK[kind](user, value, origin)) or done
    return _answer(request, user, token, Saved(wording.undone() if done else ""))


def _in_their_zone(
    view: Callable[[HttpRequest, User, str], HttpResponse], request: HttpRequest, user: User, token: str
) -> HttpResponse:
    with timezone.override(quiet_hours.zone_of(user.timezone)):
        return view(request, user, token)


def _show(request: HttpRequest, user: User, token: str, refused: Refused | None = None) -> HttpResponse:
    categories, person = list(Category.objects.all()), loading.load_person(user.pk)
    user.refresh_from_db(fields=consent.WISHES)
    context = {
        "grid": grid.build(user.pk),
        "owner": user,
        "token": token,
        "base": reverse("settings_by_link", args=[token]) if token else reverse("settings_page"),
        "pauses": pause.active(user),
        "pausable": list(pause.choices(categories)),
        "quiet": quiet.section(user),
        "digest": digest.section(user, categories),
        "spoken": spoken.section(user),
        "devices": reachable_at.section(user, person, categories),
        "refused": refused,
        "saved": request.session.pop(_SAVED, None) if refused is None else None,
    }
    return render(request, "preferences/settings.html", context, status=422 if refused else 200)


def _answer(request: HttpRequest, user: User, token: str, saved: Saved) -> HttpResponse:
    told = {"text": saved.text, "restore": list(saved.restore)}
    if request.accepts("text/html"):
        request.session[_SAVED] = told
        return redirect("settings_by_link", token) if token else redirect("settings_page")
    cells = {cell.key: cell.on for cell in grid.build(user.pk).cells()}
    return JsonResponse({**told, "cells": cells})


def _origin(request: HttpRequest, user: User) -> consent.Origin:
    return consent.Origin(
        source="settings_page",
        actor=f"user:{user.user_id}",
        ip=client_ip(request),
        agent=request.headers.get("User-Agent", ""),
        wording=wording.VERSION,
    )
