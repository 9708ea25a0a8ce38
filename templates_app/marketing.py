"""What law and mailbox providers ask of a mail that sells something: a way out, and where its sender lives.

CAN-SPAM (15 U.S.C. 7704(a)(3), (5)); the senders' guidelines of Gmail and Yahoo. Our own layouts have both, where
POSTAL_ADDRESS is set; a whole document of an author's own may lack them.
"""

from collections.abc import Iterator, Mapping

from django.conf import settings

_WAYS_OUT = ("unsubscribe_url", "settings_url")


def missing(compiled: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (part, message) for what the parts of a compiled e-mail lack."""
    for part in ("html", "text"):
        source = compiled.get(part, "")
        if source and not any(name in source for name in _WAYS_OUT):
            yield part, "Marketing mail must say how to stop it: put {{ unsubscribe_url }} into it."
        address: str = settings.POSTAL_ADDRESS
        if source and "postal_address" not in source and not (address and address in source):
            yield part, "Marketing mail must carry your postal address: put {{ postal_address }} into it."
