"""Whatever is stored has a fate when its person is erased: a new table is forgotten by nobody."""

from django.apps import apps
from django.conf import settings
from django.db import models

from preferences import erasure
from preferences.models import User

OURS = {"preferences", "templates_app", "notifications", "foundation"}


def test_every_table_says_what_an_erasure_does_with_it():
    stored = {model._meta.label for model in apps.get_models() if not model._meta.proxy and _may_know_people(model)}

    assert stored - erasure.fates().keys() == set()


def test_no_fate_is_of_a_table_that_is_gone():
    assert erasure.fates().keys() - {model._meta.label for model in apps.get_models()} == set()


def test_each_step_tells_what_it_does():
    assert settings.ERASURE_STEPS[0].startswith("notifications.")  # the queue is what workers wait for
    assert all(words.endswith(".") for words in erasure.fates().values())


def _may_know_people(model: type[models.Model]) -> bool:
    """Tell whether a table is ours, or refers to people, or is Django's own record of what they do."""
    return (
        model._meta.app_label in OURS
        or any(field.is_relation and field.related_model is User for field in model._meta.concrete_fields)
        or model._meta.label == "sessions.Session"
    )
