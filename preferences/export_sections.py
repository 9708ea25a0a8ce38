"""What preferences know of a person: their data, their addresses, their choices and what was done to them."""

import json
from collections.abc import Iterator

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from preferences import addresses, contact_points
from preferences.documents import time_text
from preferences.export import Row, Section, Teller, own, read
from preferences.models import (
    AddressConfirmation,
    ConsentRecord,
    ContactPoint,
    FrequencyCount,
    Mute,
    Preference,
    PreferenceLink,
    Suppression,
    TopicSubscription,
    User,
)
from project.foundation.ids import created_at
from project.foundation.models import AuditEvent

_NUMBER = {"id": "a number of ours that says nothing"}
_WHOM = ("content_type", "object_id", "object_repr", "change_message")
_FINGERPRINT = "a keyed fingerprint of the address, which is told"


def _profile(user: User, tell: Teller) -> Iterator[Row]:
    groups = list(user.groups.values_list("name", flat=True))
    rights = list(user.user_permissions.values_list("codename", flat=True))
    yield {**tell(user), "groups": groups, "rights": rights}


def _contact_points(user: User, tell: Teller) -> Iterator[Row]:
    for point in read(ContactPoint.objects.filter(user=user)):
        yield {**tell(point), "address": _address(point)}


def _suppressions(user: User, tell: Teller) -> Iterator[Row]:
    for point in contact_points.own(user):
        indexes = addresses.indexes(point.channel, point.address)
        for row in Suppression.objects.filter(channel=point.channel, address_index__in=indexes):
            yield {**tell(row), "contact_point": str(point.pk)}


def _consent(user: User, tell: Teller) -> Iterator[Row]:
    for record in read(ConsentRecord.objects.filter(user=user).order_by("id")):
        yield {"at": time_text(created_at(record.id)), **tell(record)}


def _acts(user: User, tell: Teller) -> Iterator[Row]:
    for event in read(AuditEvent.objects.filter(target=f"user:{user.pk}").order_by("id")):
        yield {"at": time_text(created_at(event.id)), **tell(event)}


def _admin_log(user: User, tell: Teller) -> Iterator[Row]:
    """Tell what was done to them in the admin, and when they did something there: to whom is not for them to keep."""
    people = ContentType.objects.get_for_model(User).pk
    about = Q(content_type_id=people, object_id=str(user.pk))
    for entry in read(LogEntry.objects.filter(about | Q(user=user)).order_by("pk")):
        theirs = entry.content_type_id == people and entry.object_id == str(user.pk)
        changed = {"changed": entry.get_change_message()} if theirs else {}
        yield {**tell(entry), "about_them": theirs, "by_them": entry.user_id == user.pk, **changed}


def _address(point: ContactPoint) -> str:
    """Return an address in full; of what is a key to something, only where it leads."""
    if point.channel == "web_push":
        return str(json.loads(point.address)["endpoint"])
    return addresses.mask(point.channel, point.address) if point.channel == "chat" else point.address


SECTIONS = (
    Section(
        "profile",
        _profile,
        {
            "preferences.User": _NUMBER
            | {"password": "a secret", "link_generation": "a number of ours that says nothing"},
            "preferences.User_groups": {},
            "preferences.User_user_permissions": {},
        },
    ),
    Section(
        "contact_points",
        _contact_points,
        {"preferences.ContactPoint": {"secret": "signs what is sent to a webhook", "address_index": _FINGERPRINT}},
    ),
    Section("suppressions", _suppressions, {"preferences.Suppression": _NUMBER | {"address_index": _FINGERPRINT}}),
    Section(
        "address_confirmations",
        own(AddressConfirmation),
        {"preferences.AddressConfirmation": {"address_index": _FINGERPRINT, "code_hash": "a secret"}},
    ),
    Section("preferences", own(Preference), {"preferences.Preference": _NUMBER}),
    Section("mutes", own(Mute), {"preferences.Mute": _NUMBER}),
    Section("topics", own(TopicSubscription), {"preferences.TopicSubscription": _NUMBER}),
    Section("frequency_counts", own(FrequencyCount), {"preferences.FrequencyCount": _NUMBER}),
    Section("consent_ledger", _consent, {"preferences.ConsentRecord": {}}),
    Section("settings_links", own(PreferenceLink), {"preferences.PreferenceLink": {}}),
    Section("acts_of_staff_and_services", _acts, {"foundation.AuditEvent": {"ip": "of who acted"}}),
    Section(
        "admin_log",
        _admin_log,
        {"admin.LogEntry": _NUMBER | dict.fromkeys(_WHOM, "whom it was about may be somebody else")},
    ),
)
