"""What an erasure does to the tables of people and choices, and to the trail: the last of its steps."""

from collections.abc import Sequence

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import F, Q

from preferences import addresses, suppressions
from preferences.consent import Origin
from preferences.decisions import UNCONFIRMED
from preferences.erasure import Leaving
from preferences.models import (
    AddressConfirmation,
    ConsentRecord,
    ContactPoint,
    FrequencyCount,
    Import,
    Mute,
    Preference,
    PreferenceLink,
    Suppression,
    TopicSubscription,
    User,
)
from preferences.suppressions import Reason, Unwanted
from project.foundation.models import AuditEvent

FATES = {
    User._meta.label: "The row stays, called by a pseudonym; everything else in it is emptied.",
    ContactPoint._meta.label: "Deleted. A keyed fingerprint of each that was theirs stays among the suppressions.",
    AddressConfirmation._meta.label: "Deleted.",
    Preference._meta.label: "Deleted.",
    Mute._meta.label: "Deleted.",
    FrequencyCount._meta.label: "Deleted.",
    PreferenceLink._meta.label: "Deleted; the links end.",
    TopicSubscription._meta.label: "Deleted.",
    ConsentRecord._meta.label: "Kept as proof, under the pseudonym; IP address and browser are emptied.",
    Suppression._meta.label: "Kept: it holds a fingerprint. Who set it is called by the pseudonym.",
    "preferences.Erasure": "The erasure itself; deleted when all its looks are done.",
    "preferences.Category": "Says nothing of people.",
    "preferences.Topic": "Says nothing of people.",
    Import._meta.label: "Holds what staff call a file; it goes by its own time.",
    "preferences.ImportChunk": "An uploaded file, sealed; deleted when its import is over.",
    "preferences.ImportFault": "Repeats nothing that stands in the file.",
    AuditEvent._meta.label: "Kept; people stand in it by a number. What the person did has no IP address any more.",
    LogEntry._meta.label: "Kept; the person is called by the pseudonym.",
    Session._meta.label: "Dead at once, since it rests on the password; deleted when it expires. It holds a number.",
}
_DELETED = (Preference, Mute, FrequencyCount, PreferenceLink, TopicSubscription, AddressConfirmation, ContactPoint)


def erase(leaving: Leaving) -> None:
    """Suppress the addresses that nobody else has, empty the person, and call them by the pseudonym everywhere."""
    origin = Origin(source="erasure", actor=leaving.actor)
    unwanted = [Unwanted(channel, address, Reason.ERASED) for channel, address in _not_shared(leaving)]
    suppressions.suppress(unwanted, origin=origin)
    for model in _DELETED:
        model._default_manager.filter(user_id=leaving.pk).delete()
    _empty(leaving)
    _rename_in_trails(leaving)


def _not_shared(leaving: Leaving) -> Sequence[tuple[str, str]]:
    """Return the addresses that no one else has. A family's shared one goes on serving the others.

    Whoever has typed one and not confirmed it does not have it, be it the person or somebody else. Locked, so that of
    two who share one and are erased at once the second finds itself alone.
    """
    indexes = {index: each for each in leaving.addresses for index in addresses.indexes(*each)}
    rows = ContactPoint.objects.select_for_update().filter(address_index__in=list(indexes)).order_by("id")
    rows = rows.exclude(disabled_reason=UNCONFIRMED)
    found = [(user_pk, bytes(index)) for user_pk, index in rows.values_list("user_id", "address_index")]
    shared = {indexes[index] for user_pk, index in found if user_pk != leaving.pk}
    typed = ContactPoint.objects.filter(user_id=leaving.pk, disabled_reason=UNCONFIRMED)
    not_theirs = shared | set(typed.values_list("channel", "address"))
    return [each for each in leaving.addresses if each not in not_theirs]


def _empty(leaving: Leaving) -> None:
    user = User.objects.get(pk=leaving.pk)
    user.groups.clear()
    user.user_permissions.clear()
    user.set_unusable_password()  # a session rests on it
    User.objects.filter(pk=leaving.pk).update(
        user_id=leaving.pseudonym,
        password=user.password,
        last_login=None,
        name="",
        locale="",
        timezone="",
        attributes={},
        filterable={},
        quiet_hours={},
        frequency_caps=[],
        channel_priority=[],
        digests={},
        digest_at="",
        is_active=False,
        link_generation=F("link_generation") + 1,
        erased_at=leaving.now,
        updated_at=leaving.now,
    )


def _rename_in_trails(leaving: Leaving) -> None:
    """Call the person by the pseudonym where acts are told. The ledger's rows allow it once `erased_at` is set."""
    before, after = leaving.user_id, leaving.pseudonym
    ledger = ConsentRecord.objects.filter(user_id=leaving.pk)
    # Of users, only the person themselves stands in it, and after a race under an id that we no longer know.
    by_them = ledger.filter(actor__startswith="user:").exclude(actor=f"user:{after}")
    by_them.update(actor=f"user:{after}", ip=None, agent="")
    ledger.filter(Q(ip__isnull=False) | ~Q(agent="")).update(ip=None, agent="")
    Suppression.objects.filter(actor=f"user:{before}").update(actor=f"user:{after}")
    _rename_in_audit(leaving)
    about = ContentType.objects.get_for_model(User)
    told = LogEntry.objects.filter(content_type=about, object_id=str(leaving.pk)).exclude(object_repr=after)
    told.update(object_repr=after, change_message="")


def _rename_in_audit(leaving: Leaving) -> None:
    """Empty whence the person acted. The trail knows people by our own keys, and staff by their names."""
    before, after = leaving.user_id, leaving.pseudonym
    AuditEvent.objects.filter(actor=f"user:{leaving.pk}").update(ip="")
    AuditEvent.objects.filter(actor=f"staff:{before}").update(actor=f"staff:{after}", ip="")  # they have left it since
    for model in (Suppression, Import):
        model._default_manager.filter(actor=f"staff:{before}").update(actor=f"staff:{after}")
    if not before.isdigit():  # else it is somebody's key
        AuditEvent.objects.filter(actor=f"user:{before}").update(actor=f"user:{after}", ip="")
        AuditEvent.objects.filter(target=f"user:{before}").update(target=f"user:{after}")
