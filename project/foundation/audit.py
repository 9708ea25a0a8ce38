"""The trail of administrative acts."""

from typing import Any

from project.foundation.models import AuditEvent


def record(actor: str, action: str, target: str, *, ip: str = "", **detail: Any) -> None:
    """Write one act into the trail, inside the caller's transaction: the act and its line stand or fall together.

    `detail` holds names and keys, never addresses or texts.
    """
    AuditEvent.objects.create(actor=actor, action=action, target=target, ip=ip, detail=detail)
