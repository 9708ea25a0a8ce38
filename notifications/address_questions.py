"""Asking an address, through the pipeline, whether its owner wants it used: a link by mail, a code by text or call."""

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from notifications import acceptance, addressee
from notifications.models import Mode
from preferences import confirmations
from preferences.confirmations import Question
from preferences.models import ContactPoint
from preferences.pages import language
from templates_app.models import Type


@transaction.atomic
def send(point: ContactPoint, *, mode: str = Mode.LIVE) -> None:
    """Send a question to this address and to no other of the person's. Raises confirmations.AskedTooOften."""
    question = confirmations.ask(point)
    with translation.override(language.of(point.user.locale)):
        words = _code(question) if question.code else _link(question)
    acceptance.accept(
        acceptance.Request(
            user=point.user,
            type=Type.objects.get(key=addressee.CONFIRMATION),
            payload={**words, "template_variables": {}, "contact_point": str(point.pk)},
            mode=mode,
            priority="HIGH",
            channels_preferred=[point.channel],
            expires_at=question.expires_at,
        )
    )


def _link(question: Question) -> dict[str, str]:
    return {
        "title": _("Is this your e-mail address?"),
        "body": _(
            "Somebody asked us to send notifications here. If that was you, confirm it within 24 hours. "
            "If it was not, you can ignore this message: nothing more will come."
        ),
        "link": settings.PUBLIC_URL + reverse("confirm_address", args=[question.token]),
    }


def _code(question: Question) -> dict[str, str]:
    spoken = question.point.channel == "voice"  # digit by digit, not as a number
    body = _("Your code is %(code)s. It works for 10 minutes. If you did not ask for it, ignore this message.")
    code = " ".join(question.code) if spoken else question.code
    return {"title": _("Confirm this phone number"), "body": body % {"code": code}, "link": ""}
