"""What people answer to a text message: stop, start, help, in any case and with any punctuation (pure).

Sources: 47 CFR 64.1200(a)(10), which names the words for stopping; CTIA's Messaging Principles and Best Practices, for
start and help.
"""

import re

from notifications.providers.callbacks import Kind

_WORDS: dict[str, Kind] = {
    **dict.fromkeys(
        ["stop", "stopp", "stopall", "stop all", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe"],
        "stop",
    ),
    **dict.fromkeys(["start", "unstop"], "start"),
    **dict.fromkeys(["help", "info", "hilfe"], "help"),
}
# "Stop texting me", "please unsubscribe me": a revocation in any reasonable manner counts. "Cancel my order" is none.
_PLAINLY = re.compile(r"(please )?(stop|stopp|unsubscribe|opt ?out)( \w+){0,4}( please)?")
_NO_LETTER = re.compile(r"[\W_]+")


def read(text: str) -> Kind | None:
    """Return what a text asks for, or None when it asks for nothing of the kind."""
    words = _NO_LETTER.sub(" ", text.casefold()).strip()
    return _WORDS.get(words) or ("stop" if _PLAINLY.fullmatch(words) else None)
