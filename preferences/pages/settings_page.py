"""Notification settings: a form that works without JavaScript; preferences.js posts it one switch at a time."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from preferences import consent, links, loading
from preferences.models import User
from preferences.pages import changes, grid, language, wording
from project.foundation.client_ip import client_ip

_SAVED = "preferences_saved"  # in the session, for the page after the redirect

Page = Callable[..., HttpResponse]


def for_its_owner(view: Callable[[HttpRequest, User, str], HttpResponse]) -> Page:
    """Give a page the person whose settings it shows: the owner of the link, or whoever is signed in."""

    @wraps(view)
    @never_cache
    def page(request: HttpRequest, token: str = "") -> HttpResponse:
        if not token:
            return login_required(lambda request: view(request, request.user, ""))(request)
        owner = links.owner(token)
        if owner is None:
            return render(request, "preferences/link_over.html", status=410)
        language.speak(owner.locale)
        answer = view(request, owner, token)
        answer["Referrer-Policy"] = "same-origin"  # the address is the key to the page
        return answer

    return page


@for_its_owner
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest, user: User, token: str) -> HttpResponse:
    """Show the settings; store the switches that were moved."""
    page = grid.build(user.pk)
    if request.method != "POST":
        return render(
            request,
            "preferences/settings.html",
            {
                "grid": page,
                "owner": user,
                "token": token,
                "person": loading.load_person(user.pk),
                "saved": request.session.pop(_SAVED, None),
            },
        )
    moved = changes.moved(page, shown=request.POST.getlist("shown"), on=request.POST.getlist("on"))
    restore = changes.apply(user, moved, _origin(request, user))
    return _answer(request, user, token, {"text": changes.sentence(page, moved) if moved else "", "restore": restore})


@for_its_owner
@require_POST
def undo(request: HttpRequest, user: User, token: str) -> HttpResponse:
    """Take the last change back."""
    page = grid.build(user.pk)
    back = changes.restoring(page, restore=request.POST.getlist("restore"))
    changes.apply(user, back, _origin(request, user))
    return _answer(request, user, token, {"text": wording.undone() if back else "", "restore": []})


def _answer(request: HttpRequest, user: User, token: str, saved: Mapping[str, Any]) -> HttpResponse:
    if request.accepts("text/html"):
        request.session[_SAVED] = saved
        return redirect("settings_by_link", token) if token else redirect("settings_page")
    cells = {cell.key: cell.on for cell in grid.build(user.pk).cells()}
    return JsonResponse({**saved, "cells": cells})


def _origin(request: HttpRequest, user: User) -> consent.Origin:
    return consent.Origin(
        source="settings_page",
        actor=f"user:{user.user_id}",
        ip=client_ip(request),
        agent=request.headers.get("User-Agent", ""),
        wording=wording.VERSION,
    )
