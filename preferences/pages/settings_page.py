"""Notification settings: a form that works without JavaScript; preferences.js posts it one switch at a time."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from preferences import consent, loading
from preferences.models import User
from preferences.pages import changes, grid, wording

_SAVED = "preferences_saved"  # in the session, for the page after the redirect


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the settings; store the switches that were moved."""
    user = _person(request)
    page = grid.build(user.pk)
    if request.method != "POST":
        return render(
            request,
            "preferences/settings.html",
            {
                "grid": page,
                "person": loading.load_person(user.pk),
                "saved": request.session.pop(_SAVED, None),
            },
        )
    moved = changes.moved(page, shown=request.POST.getlist("shown"), on=request.POST.getlist("on"))
    restore = changes.apply(user, moved, _origin(request))
    return _answer(request, {"text": changes.sentence(page, moved) if moved else "", "restore": restore})


@never_cache
@login_required
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take the last change back."""
    user = _person(request)
    page = grid.build(user.pk)
    back = changes.restoring(page, restore=request.POST.getlist("restore"))
    changes.apply(user, back, _origin(request))
    return _answer(request, {"text": wording.undone() if back else "", "restore": []})


def _answer(request: HttpRequest, saved: Mapping[str, Any]) -> HttpResponse:
    if request.accepts("text/html"):
        request.session[_SAVED] = saved
        return redirect("settings_page")
    cells = {cell.key: cell.on for cell in grid.build(_person(request).pk).cells()}
    return JsonResponse({**saved, "cells": cells})


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required has seen to it
    return request.user


def _origin(request: HttpRequest) -> consent.Origin:
    user = _person(request)
    return consent.Origin(
        source="settings_page",
        actor=f"user:{user.user_id}",
        ip=request.META.get("REMOTE_ADDR", ""),
        agent=request.headers.get("User-Agent", ""),
        wording=wording.VERSION,
    )
