"""What a signed request may carry only once. Seen a second time it is a recording, however fresh."""

import hashlib
from datetime import timedelta

from notifications.models import ProviderAccount, UsedToken
from notifications.providers.callbacks import MAX_AGE

# How long a token is known. A request signed by a clock that is MAX_AGE ahead is believed for twice that.
KEPT = max(timedelta(hours=1), 2 * MAX_AGE)


class Replayed(Exception):
    """The request was taken in before. The message says so."""


def use(account: ProviderAccount, token: str) -> None:
    """Put a token on record, inside the caller's transaction; whoever rolls that back may use it again.

    Raises Replayed when it is on record. Of two processes with the same token one waits for the other.
    """
    digest = hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
    row = UsedToken(account=account, digest=digest)
    UsedToken.objects.bulk_create([row], ignore_conflicts=True)
    if not UsedToken.objects.filter(id=row.id).exists():
        raise Replayed("The request was taken in before.")
