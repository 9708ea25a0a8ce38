from collections.abc import Sequence
from typing import Any

from django.db import models

from project.foundation.ids import new_id


class SharedDecisions(models.Model):
    """What was decided, channel by channel, for people who are alike: written once for all of a batch.

    Written out for each of them it would be most of the history. Instead of a contact point's id stands its place
    among those that the notification names.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    decisions = models.JSONField()

    def __str__(self) -> str:
        return str(self.id)

    def told_of(self, contact_points: Sequence[str]) -> list[dict[str, Any]]:
        """Return the decisions about one person, whose contact points these are."""
        return [decision | {"contact_point_id": _named(decision, contact_points)} for decision in self.decisions]


def _named(decision: dict[str, Any], contact_points: Sequence[str]) -> str | None:
    place = decision["contact_point_id"]
    return None if place is None else contact_points[place]
