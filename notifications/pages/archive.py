"""What we sent you: a person's archive, for whoever is signed in or holds a settings link.

A link stands in every mail, and mails are passed on: it shows kinds of messages and their fate, never their titles.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from notifications import archive
from preferences.models import User
from preferences.pages.settings_page import for_its_owner


@for_its_owner
@require_safe
def show(request: HttpRequest, user: User, token: str) -> HttpResponse:
    back = reverse("settings_by_link", args=[token]) if token else reverse("settings_page")
    page = archive.page(user, before=_before(request))
    return render(request, "notifications/archive.html", {"page": page, "back": back, "token": token})


def _before(request: HttpRequest) -> UUID | None:
    """Return where the page begins; what is no id begins at the newest."""
    try:
        return UUID(request.GET.get("before", ""))
    except ValueError:
        return None
