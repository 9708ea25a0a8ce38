"""Reading the ledger of choices."""

from datetime import datetime, timedelta

from preferences.models import ConsentRecord
from project.foundation import ids

_MILLISECOND = timedelta(milliseconds=1)  # what ids tell apart


def standing_at(user_pk: int, moment: datetime) -> dict[str, str]:
    """Return what a person had chosen at a moment, in the ledger's words: {"category:offers × channel:email": "no"}.

    What was not chosen, or taken back, is absent. One query.
    """
    lines = ConsentRecord.objects.filter(user_id=user_pk, id__lt=ids.first_id_at(moment + _MILLISECOND)).order_by("id")
    latest = dict(lines.values_list("subject", "new"))
    return {subject: value for subject, value in sorted(latest.items()) if value != "unset"}
