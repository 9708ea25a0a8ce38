"""What people find in their mail: the outbox of the running demo."""

import re
import time
from urllib.parse import urlsplit

import httpx


def path_in_mail(api: httpx.Client, user_id: str, pattern: str) -> str:
    """Wait for the newest mail to a person that holds such an address; return its path."""
    for _ in range(200):
        mails = api.get("/outbox", params={"user_id": user_id, "channel": "email", "limit": "1"}).json()["results"]
        if mails and (found := re.search(pattern, str(mails[0]["headers"]) + mails[0]["parts"]["text"])):
            return urlsplit(found[0]).path
        time.sleep(0.1)
    raise AssertionError("No such mail came.")
