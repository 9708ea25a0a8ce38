"""What an SMTP server's refusal means: of this recipient, of our account, or only for now."""

import re
from typing import Literal, NamedTuple

from notifications.providers.base import Outcome

Stage = Literal["connect", "auth", "mail", "rcpt", "data", "content"]
_Kind = Literal["recipient", "account"]

_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")
_RELAYING = re.compile(r"\brelay|authentication (?:is )?required", re.IGNORECASE)

# At these stages no recipient has been named yet, or it is the sender who is refused.
_BY_STAGE: dict[Stage, _Kind] = {
    "connect": "account",
    "auth": "account",
    "mail": "account",
    "rcpt": "recipient",
    "data": "recipient",
    "content": "recipient",
}
# RFC 4954 §6: sign in first, mechanism too weak, credentials refused, encryption needed.
_BY_CODE: dict[int, _Kind] = {530: "account", 534: "account", 535: "account", 538: "account", 552: "recipient"}
# RFC 3463 and IANA's registry, where they say more than the stage and the code.
_BY_ENHANCED_CODE: dict[str, _Kind] = {
    "5.1.7": "account",  # bad sender's address
    "5.1.8": "account",  # bad sender's domain
    "5.3.4": "recipient",  # message too big for the system
    "5.7.3": "account",  # authentication unsuccessful
    "5.7.8": "account",  # credentials invalid
    "5.7.9": "account",  # mechanism too weak
    "5.7.11": "account",  # encryption required
    "5.7.14": "account",  # sign in through a browser first (Gmail)
    "5.7.57": "account",  # client was not authenticated (Exchange)
    "5.7.60": "account",  # client may not send as this sender (Exchange)
}


class Reply(NamedTuple):
    """One answer of the server: its code and its lines without the code."""

    code: int
    lines: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the server said, in one line and without addresses."""
        return f"{self.code} {_ADDRESS.sub('…', ' '.join(self.lines))}"[:300]

    @property
    def closes(self) -> bool:
        return self.code == 421  # RFC 5321 §3.8: the server is about to hang up

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300


def refusal(reply: Reply, stage: Stage) -> Outcome:
    """Return the outcome of a reply that was not the one hoped for."""
    if not 500 <= reply.code < 600:
        return Outcome.transient(f"The mail server answered {reply.words}")
    error = f"The mail server refused: {reply.words}"
    return Outcome.account(error) if _kind(reply, stage) == "account" else Outcome.recipient(error)


def _kind(reply: Reply, stage: Stage) -> _Kind:
    text = " ".join(reply.lines)
    if _BY_STAGE[stage] == "recipient" and _RELAYING.search(text):
        return "account"
    enhanced = _ENHANCED.search(text)
    if enhanced and enhanced[1] in _BY_ENHANCED_CODE:
        return _BY_ENHANCED_CODE[enhanced[1]]
    return _BY_CODE.get(reply.code) or _BY_STAGE[stage]
