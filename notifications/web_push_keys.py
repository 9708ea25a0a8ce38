"""The key that browsers subscribe with: the public half of the web push account that messages go through."""

import logging

from notifications import accounts
from notifications.providers import options
from notifications.providers.web_push import WebPush, WebPushOptions
from notifications.providers.web_push_encryption import Vapid

logger = logging.getLogger(__name__)


def public_key() -> str:
    """Return it in base64url, as browsers take it for applicationServerKey; "" where no account sends web push."""
    for account in accounts.usable("web_push"):
        if account.provider == WebPush.key:
            try:
                stated = options.resolve(WebPushOptions, account.options)
            except options.BadOptions:
                logger.error("account.unusable", extra={"account": account.name})
                continue
            if stated.vapid_private_key:
                return Vapid(stated.vapid_private_key, stated.subject).public_key
    return ""
