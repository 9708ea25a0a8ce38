"""The demo: a small shop with three customers, told everything through the outbox. Loading it twice equals once."""

import json
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from notifications import account_changes
from notifications.models import ProviderAccount
from preferences import categories, users
from preferences.channels import CHANNELS
from preferences.models import User
from templates_app import drafts, publishing, types
from templates_app.models import Template, Type

ACTOR = "system"
_CONTENT = Path(__file__).parent / "content"
_LAST_CHOICE = 100  # an account that an operator adds comes before the outbox


@transaction.atomic
def load() -> None:
    """Make what is not there yet; what people changed meanwhile stays, but for the rules of the demo's categories."""
    for key, fields in _read("categories").items():
        categories.put(key, fields, actor=ACTOR)
    for key, fields in _read("types").items():
        _make_type(key, fields)
    for user_id, fields in _read("people").items():
        if not User.objects.filter(user_id=user_id).exists():
            users.upsert(user_id, users.UserFields(**fields))
    for channel in CHANNELS.values():
        if channel.addressed:
            _make_outbox(channel.key)


def _make_type(key: str, fields: dict[str, Any]) -> None:
    template = _drafted(fields["template"])
    if not Type.objects.filter(key=key).exists():
        minutes = fields.get("expires_after_minutes")
        wanted = types.Wanted(
            name=fields["name"],
            category=fields["category"],
            template=template.key,
            schema=json.loads((_CONTENT / "schemas" / f"{template.key}.json").read_text()),
            priority=fields["priority"],
            expires_after=timedelta(minutes=minutes) if minutes else None,
        )
        types.save(key, wanted, actor=ACTOR)
    if template.published is None:  # only now: it is tried with the type's examples
        publishing.publish(template, actor=ACTOR)


def _drafted(key: str) -> Template:
    """Return a template; one that was never published gets the demo's texts as its draft."""
    template = Template.objects.filter(key=key).select_related("published").first()
    if template is None or template.published is None:
        read = _read(f"templates/{key}")
        name = read.pop("name")
        contents = [
            drafts.ContentDraft(channel=channel, locale=locale, parts=parts)
            for locale, channels in read.items()
            for channel, parts in channels.items()
        ]
        draft, _ = drafts.save(key, contents=contents, actor=ACTOR, name=name)
        return draft.template
    return template


def _make_outbox(channel: str) -> None:
    name = f"outbox-{channel}"
    if not ProviderAccount.objects.filter(name=name).exists():
        wanted = account_changes.Wanted(provider="outbox", channel=channel, options={}, order=_LAST_CHOICE)
        account_changes.save(name, wanted, actor=ACTOR)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_CONTENT / f"{name}.toml").read_text())
