"""The language of a person's pages and messages, as they choose it themselves."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import get_language_info, get_supported_language_variant
from django.utils.translation import gettext as _

from preferences import consent
from preferences.consent import Origin
from preferences.models import User
from preferences.pages import language
from preferences.pages.outcomes import Outcome, Saved, token

SECTION = "language"


def section(user: User) -> dict[str, Any]:
    """Return the languages there are, each by its own name. A service's own choice ("de-AT") stays to be seen."""
    known = [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]
    others = [] if user.locale in {"", *(code for code, _name in known)} else [(user.locale, _name_of(user.locale))]
    return {"languages": known + others, "chosen": user.locale}


def change(user: User, form: QueryDict, origin: Origin) -> Outcome:
    """Store the "locale"; "" is the browser's. What is no language of ours changes nothing."""
    before = _write(user, form.get("locale", ""), origin)
    if before is None:
        return Saved()
    language.speak(user.locale)  # from the next word on
    return Saved(_("Saved. This is your language now."), (token(SECTION, before),))


def restore(user: User, value: Any, origin: Origin) -> bool:
    """Take back a language that was there before; return whether that changed anything."""
    changed = isinstance(value, str) and _write(user, value, origin, ours_alone=False) is not None
    if changed:
        language.speak(user.locale)
    return changed


@transaction.atomic
def _write(user: User, locale: str, origin: Origin, *, ours_alone: bool = True) -> str | None:
    """Store a locale; return the one before, None where nothing changed."""
    before = User.objects.select_for_update(no_key=True).values_list("locale", flat=True).get(pk=user.pk)
    ours = locale in {"", *(code for code, _name in settings.LANGUAGES)}
    if locale == before or not (ours or (not ours_alone and _is_locale(locale))):
        return None
    user.locale = locale
    user.save(update_fields=["locale", "updated_at"])
    consent.note([user], subject="language", old=before or "unset", new=locale or "unset", origin=origin)
    return before


def _name_of(locale: str) -> str:
    """Return "English (en-GB)", or the tag alone where we do not speak it."""
    try:
        ours = get_language_info(get_supported_language_variant(locale.lower()))
    except LookupError:
        return locale
    return f"{ours['name_local']} ({locale})"


def _is_locale(text: str) -> bool:
    longest = User._meta.get_field("locale").max_length or 0
    return len(text) <= longest and text.isascii() and text.replace("-", "").isalnum()
