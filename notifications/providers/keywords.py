"""What people answer to a text message: stop, start, help, in any case and with any punctuation (pure).

Sources: 47 CFR 64.1200(a)(10), which names the words for stopping and lets people stop in any reasonable manner; CTIA's
Messaging Principles and Best Practices, for start and help.
"""

import re
import unicodedata

from notifications.providers.callbacks import Kind

_WORDS: dict[str, Kind] = {
    **dict.fromkeys(["stop", "stopp", "stop all", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"], "stop"),
    **dict.fromkeys(["abmelden", "abbestellen", "ende"], "stop"),  # German
    **dict.fromkeys(["توقف", "ايقاف", "الغاء"], "stop"),  # Arabic; the hamza falls away like an accent
    **dict.fromkeys(["start", "unstop"], "start"),
    **dict.fromkeys(["help", "info", "hilfe", "مساعدة"], "help"),
}
_TOGETHER = {words.replace(" ", ""): kind for words, kind in _WORDS.items()}
# "Stop texting me", "please unsubscribe me", "no more texts": what plainly means to stop counts. "Cancel my order" does
# not, and neither does "stop" inside a sentence.
_TEXTS = r"(texts?|texting|messages?|messaging|sms|alerts?|notifications?|contacting|writing)"
_PLAINLY = [
    re.compile(r"(please )?(stop|stopp|unsubscribe|opt ?out|opt me out)( \w+){0,4}( please)?"),
    re.compile(rf"(please )?(quit|end|cancel|revoke)( (all|the|these|those|your|my|any))?( {_TEXTS})( me)?( please)?"),
    re.compile(rf"(please )?no more( {_TEXTS})?( please)?"),
    re.compile(r"(please )?(do not|don ?t) (text|message|contact|write|write to) me( again| any ?more)?( please)?"),
    re.compile(r"(please )?(remove|delete) (me|my number)( \w+){0,4}( please)?"),
    re.compile(r"(please )?(revoke|withdraw)( my)? consent( please)?"),
]
_NO_LETTER = re.compile(r"[\W_]+")


def read(text: str) -> Kind | None:
    """Return what a text asks for, or None when it asks for nothing of the kind."""
    words = _NO_LETTER.sub(" ", _plain(text)).strip()
    # "S.T.O.P." and "s t o p" are one word to whoever writes them.
    asked = _WORDS.get(words) or _TOGETHER.get(words.replace(" ", ""))
    return asked or ("stop" if any(each.fullmatch(words) for each in _PLAINLY) else None)


def _plain(text: str) -> str:
    """Return a text in small letters, wide and styled ones made plain (NFKD), without accents and invisible marks."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in letters if unicodedata.category(each) not in ("Mn", "Cf"))
