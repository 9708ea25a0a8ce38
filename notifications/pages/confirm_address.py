"""The page behind the link in the mail that asks whether an address is yours. Looking at it changes nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from preferences import confirmations, contact_points
from preferences.consent import Origin
from preferences.models import ContactPoint
from preferences.pages import language, wording
from project.foundation.client_ip import client_ip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button; only pressing it confirms."""
    point = confirmations.asked_by_link(token)
    if point is not None:
        language.speak(point.user.locale)
    pressed = request.method == "POST"
    if pressed and point is not None:
        point = confirmations.confirm_by_link(token, _origin(request, point))
    if point is None:
        response = render(request, "notifications/confirm_address_over.html", status=410)
    else:
        context = {"address": contact_points.masked(point), "confirmed": pressed}
        response = render(request, "notifications/confirm_address.html", context)
    response["Referrer-Policy"] = "strict-origin"  # no page learns the token, and the CSRF check hears of our origin
    return response


def _origin(request: HttpRequest, point: ContactPoint) -> Origin:
    return Origin(
        source="confirmation",
        actor=f"user:{point.user.user_id}",
        ip=client_ip(request),
        agent=request.headers.get("User-Agent", ""),
        wording=wording.VERSION,
    )
