"""Who a broadcast is for: what an audience may be, and writing down its people once."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import JSONField, Q, QuerySet, UUIDField, Value
from django.db.models.fields.json import KeyTransform, KeyTransformExact

from notifications.models import AudienceMember
from preferences import profiles
from preferences.models import Topic, User
from project.foundation.faults import join
from project.foundation.problems import Fault

MAX_USER_IDS = 10_000
MAX_VALUES = 100  # of one field of a filter
KINDS = ("topic", "user_ids", "filter", "all")
_ATTRIBUTES = "attributes."

Values = list[str | int | float | bool]


def faults(audience: Mapping[str, Any], pointer: str) -> Iterator[Fault]:
    """Yield what is wrong with an audience, {"topic": …} | {"user_ids": […]} | {"filter": {…}} | {"all": true}."""
    given = [kind for kind in KINDS if audience.get(kind) is not None and audience[kind] is not False]
    if len(given) != 1:
        yield Fault(pointer, "invalid_value", f"Give one of {', '.join(KINDS)}.")
    if "topic" in given and not Topic.objects.filter(key=audience["topic"]).exists():
        yield Fault(f"{pointer}/topic", "unknown_topic", "There is no such topic.")
    if audience.get("user_ids") == []:
        yield Fault(f"{pointer}/user_ids", "empty_audience", "Nobody is named.")
    if "filter" in given:
        yield from _of_filter(audience["filter"], f"{pointer}/filter")


def people(audience: Mapping[str, Any]) -> "QuerySet[User]":
    """Return the people of a topic, of a filter, or all, as they are now."""
    if topic := audience.get("topic"):
        return User.objects.filter(topic_subscriptions__topic__key=topic)
    found = User.objects.all()
    for name, value in (audience.get("filter") or {}).items():
        found = found.filter(_condition(name, _values(value)))
    return found


def write(broadcast_id: UUID, whom: "QuerySet[User]") -> int:
    """Write down these people as a broadcast's audience; return how many. One statement, so one moment's truth."""
    value = Value(broadcast_id, output_field=UUIDField())
    chosen = whom.filter(erased_at=None).order_by().annotate(of=value).values_list("pk", "of")
    sql, parameters = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {AudienceMember._meta.db_table} (user_id, broadcast_id) {sql}", parameters)
        return int(cursor.rowcount)


def after(broadcast_id: UUID, reached: int, limit: int) -> list[int]:
    """Return the next people of an audience by their keys, beyond the one that was reached."""
    beyond = AudienceMember.objects.filter(broadcast_id=broadcast_id, user_id__gt=reached)
    return list(beyond.order_by("user_id").values_list("user_id", flat=True)[:limit])


def _of_filter(given: Mapping[str, Any], pointer: str) -> Iterator[Fault]:
    if not given:
        yield Fault(pointer, "empty_audience", "A filter without fields is everybody: say `all` if you mean it.")
    for name, value in given.items():
        place = join(pointer, name)
        if name not in {"locale", "timezone"} and name.removeprefix(_ATTRIBUTES) not in settings.FILTERABLE_ATTRIBUTES:
            yield Fault(place, "unknown_field", _known_fields())
            continue
        values = value if isinstance(value, list) else [value]
        if not 0 < len(values) <= MAX_VALUES:
            yield Fault(place, "invalid_value", f"Give 1 to {MAX_VALUES} values.")
            continue
        for index, each in enumerate(values):
            at = join(place, index) if isinstance(value, list) else place
            yield from _of_value(name, each, at)


def _of_value(name: str, value: Any, pointer: str) -> Iterator[Fault]:
    if name.startswith(_ATTRIBUTES):
        if not isinstance(value, str | int | float | bool):
            yield Fault(pointer, "wrong_type", "It must be a text, a number, true or false.")
        return
    if not isinstance(value, str):
        yield Fault(pointer, "wrong_type", "It must be a text.")
        return
    try:
        if not (profiles.locale(value) if name == "locale" else profiles.timezone(value)):
            yield Fault(pointer, "invalid_value", "It may not be empty.")
    except profiles.Invalid as error:
        yield Fault(pointer, error.code, str(error))


def _known_fields() -> str:
    fields = ["locale", "timezone", *(f"{_ATTRIBUTES}{name}" for name in settings.FILTERABLE_ATTRIBUTES)]
    return f"A filter knows {', '.join(fields)}. FILTERABLE_ATTRIBUTES names the attributes it may use."


def _values(value: Any) -> Values:
    return value if isinstance(value, list) else [value]


def _condition(name: str, values: Values) -> Q:
    """Return what one field asks for: any of its values."""
    if name == "locale":
        return _any(_of_locale(profiles.locale(str(value))) for value in values)
    if name == "timezone":
        own = [profiles.timezone(str(value)) for value in values]
        return Q(timezone__in=[*own, ""] if settings.TIME_ZONE in own else own)
    attribute = KeyTransform(name.removeprefix(_ATTRIBUTES), "filterable", output_field=JSONField())
    return _any(Q(KeyTransformExact(attribute, value)) for value in values)


def _of_locale(wanted: str) -> Q:
    """ "de" is for de-AT too (RFC 4647 §3.3.1), and for whoever has no locale where it is the installation's."""
    condition = Q(locale=wanted) | Q(locale__startswith=f"{wanted}-")
    default = profiles.locale(settings.LANGUAGE_CODE)
    return condition | Q(locale="") if f"{default}-".startswith(f"{wanted}-") else condition


def _any(conditions: Iterator[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found
