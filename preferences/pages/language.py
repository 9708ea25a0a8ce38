"""Pages speak the person's own language where Carillon has it; the admin speaks the installation's."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation


class PersonLanguage:
    """Middleware, after authentication: `User.locale` goes before what the browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/admin/"):
            translation.activate(settings.LANGUAGE_CODE)
        elif not request.path.startswith(("/api/", "/static/")) and request.user.is_authenticated:
            speak(request.user.locale)
        return self.get_response(request)


def of(locale: str) -> str:
    """Return the language for what is sent to somebody of a locale: theirs where Carillon has it, else its own."""
    try:
        return translation.get_supported_language_variant(locale.lower()) if locale else settings.LANGUAGE_CODE
    except LookupError:
        return settings.LANGUAGE_CODE


def speak(locale: str) -> None:
    """Answer this request in the language of a locale, where Carillon has it."""
    if not locale:
        return
    try:
        translation.activate(translation.get_supported_language_variant(locale.lower()))
    except LookupError:
        return  # a language that we do not have: the browser's choice stays
