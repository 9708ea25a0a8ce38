"""Programs that open mails and follow links before, or instead of, a person.

Sources: what the programs call themselves. Apple's Mail Privacy Protection loads every picture through proxies of its
own and says no more than "Mozilla/5.0"; Google and Yahoo fetch pictures through proxies too, but only once somebody
opens the mail, so that theirs count as people; scanners of mail and previews of chats follow links on their own.
"""

import re

_PROXY = {"mozilla/5.0"}
_SCANNER = re.compile(
    r"barracuda|mimecast|proofpoint|forcepoint|ironport|fireeye|symantec|trend ?micro|sophos|cloudmark|messagelabs"
    r"|safelinks|urldefense|bot\b|crawler|spider|preview|slackbot|facebookexternalhit|whatsapp|telegrambot"
    r"|headlesschrome|phantomjs|python-requests|python-urllib|aiohttp|curl/|wget/|go-http-client|java/|okhttp|libwww",
    re.IGNORECASE,
)


def opened_by(user_agent: str) -> bool:
    """Tell whether what fetched a picture or a link is a program that acts without a person."""
    agent = user_agent.strip().lower()
    return agent in _PROXY or not agent or _SCANNER.search(agent) is not None
