"""What an address looks like on each channel: one normal form for storing and finding, one masked form for showing."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import idna
import phonenumbers

from preferences import chat_services
from project.foundation import egress
from project.foundation.encryption import blind_index, blind_indexes

_MAX_URL = 2048
_MAX_TOKEN = 4096
_DOTS = "•••"
# RFC 5321 §4.1.2, Dot-string. Quoted local parts are legal and are mistakes in practice.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://\S+")


class InvalidAddress(ValueError):
    """The text is no address of its channel. The message is a sentence that says what is wrong."""


def normalise(channel: str, address: str | dict[str, Any]) -> str:
    """Return the one form in which an address is stored and sent to. Normalising twice changes nothing.

    `address` is text, or for web_push also the subscription as a JSON object. Raises InvalidAddress.
    """
    if channel not in _FORMS:
        raise InvalidAddress("This channel has no addresses: every user has it.")
    if isinstance(address, dict):
        if channel != "web_push":
            raise InvalidAddress("An address on this channel is text.")
        address = json.dumps(address)
    address = address.strip()
    if not address:
        raise InvalidAddress("An address is needed.")
    form = _FORMS[channel][0](address)
    # Controls could end a header or a log line; surrogates cannot be stored.
    if not form.isprintable():
        raise InvalidAddress("An address holds no control characters or line breaks.")
    return form


def reachable(channel: str, address: str | dict[str, Any]) -> str:
    """Return the normal form of an address that somebody gives us to send to.

    Raises InvalidAddress also for a URL that the guard of egress will never let us ask: better said now than later.
    """
    form = normalise(channel, address)
    if channel == "chat" and not chat_services.allows(form):
        raise InvalidAddress("This is not the Apprise URL of a chat service that messages may go to.")
    url = endpoint(form) if channel == "web_push" else form if channel == "webhook" else ""
    try:
        if url:
            egress.check(url)
    except egress.Refused as refusal:
        raise InvalidAddress(str(refusal)) from None
    return form


def comparable(channel: str, address: str) -> str:
    """Return what two normalised addresses share when they are one: e-mail goes by the name in any case.

    RFC 5321 lets a host tell Ada@ from ada@. None does, and people type both: one person, one suppression.
    """
    return address.lower() if channel == "email" else address


def index(channel: str, address: str) -> bytes:
    """Return the fingerprint under which a normalised address is stored."""
    return blind_index(channel, comparable(channel, address))


def indexes(channel: str, address: str) -> list[bytes]:
    """Return the fingerprints of a normalised address under every configured key: what a look-up must try."""
    return blind_indexes(channel, comparable(channel, address))


def endpoint(subscription: str) -> str:
    """Return the push service's URL in a normalised web_push address."""
    return str(json.loads(subscription)["endpoint"])


def mask(channel: str, address: str) -> str:
    """Return enough of a normalised address for its owner to recognise, and no more: "a•••@example.com", "+49•••89"."""
    return _FORMS[channel][1](address) if channel in _FORMS else ""


def _email(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise InvalidAddress("An e-mail address has the form name@example.com.")
    if not _LOCAL_PART.fullmatch(local):
        raise InvalidAddress("The part before the @ holds characters that e-mail does not allow.")
    address = f"{local}@{_domain(domain)}"
    # RFC 5321 §4.5.3.1: 64 octets before the @, 254 for the whole (the path of 256 without its brackets).
    if len(local) > 64 or len(address) > 254:
        raise InvalidAddress("The e-mail address is too long.")
    return address


def _domain(domain: str) -> str:
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode().lower()
    except idna.IDNAError as error:
        raise InvalidAddress("The part after the @ is not a domain name.") from error
    labels = ascii_domain.split(".")
    if (len(labels) < 2 and ascii_domain != "localhost") or labels[-1].isdigit() or len(ascii_domain) > 253:
        raise InvalidAddress("The part after the @ is not a domain name.")
    return ascii_domain


def _phone(address: str) -> str:
    if not address.startswith("+"):
        raise InvalidAddress("A phone number starts with + and the country code, like +493012345678.")
    try:
        number = phonenumbers.parse(address, None)
    except phonenumbers.NumberParseException as error:
        raise InvalidAddress("This is not a phone number.") from error
    # Possible, not valid: numbering plans grow faster than any library knows, and test numbers are never "valid".
    if number.extension or not phonenumbers.is_possible_number(number):
        raise InvalidAddress("This is not a complete phone number of its country.")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _web_url(address: str) -> str:
    if len(address) > _MAX_URL:
        raise InvalidAddress(f"The URL is longer than {_MAX_URL} characters.")
    try:
        url = urlsplit(address)
        host, port = url.hostname, url.port
    except ValueError as error:
        raise InvalidAddress("This is not a URL.") from error
    if url.scheme not in ("http", "https") or not host or not address.isprintable() or set(" \\") & set(address):
        raise InvalidAddress("A URL has the form https://example.com/path.")
    if "@" in url.netloc:
        raise InvalidAddress("A URL may not carry a name or password.")
    if url.fragment:
        raise InvalidAddress("A URL may not carry a # part: it is never sent.")
    try:
        host = f"[{host}]" if ":" in host else idna.encode(host, uts46=True).decode().lower()
    except idna.IDNAError as error:
        raise InvalidAddress("The URL's host is not a domain name.") from error
    netloc = host if port in (None, {"http": 80, "https": 443}[url.scheme]) else f"{host}:{port}"
    return urlunsplit((url.scheme, netloc, url.path or "/", url.query, ""))


def _chat_url(address: str) -> str:
    if len(address) > _MAX_URL:
        raise InvalidAddress(f"The chat address is longer than {_MAX_URL} characters.")
    if not _SCHEME.fullmatch(address):
        raise InvalidAddress("A chat address is an Apprise URL, like slack://….")
    return address


def _token(address: str) -> str:
    if len(address) > _MAX_TOKEN or " " in address:
        raise InvalidAddress(f"A device token is at most {_MAX_TOKEN} characters without spaces.")
    return address


def _subscription(address: str) -> str:
    try:
        subscription = json.loads(address)
        endpoint, keys = subscription["endpoint"], subscription["keys"]
        # RFC 8291 §3.1: an uncompressed P-256 point and a secret of 16 octets.
        public, secret = _key(keys["p256dh"], 65), _key(keys["auth"], 16)
        url = _web_url(endpoint)
    except InvalidAddress:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise InvalidAddress("A browser subscription is JSON with endpoint, keys.p256dh and keys.auth.") from error
    form = {"endpoint": url, "keys": {"auth": secret, "p256dh": public}}
    return json.dumps(form, separators=(",", ":"))


def _key(text: str, octets: int) -> str:
    text = text.rstrip("=").replace("+", "-").replace("/", "_")
    value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if len(value) != octets:
        raise ValueError(f"{len(value)} octets instead of {octets}")
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _mask_email(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}{_DOTS}@{domain}"


def _mask_phone(address: str) -> str:
    try:
        code = str(phonenumbers.parse(address, None).country_code)
    except phonenumbers.NumberParseException:
        code = ""
    return f"+{code}{_DOTS}{address[-2:]}"


def _mask_url(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{_DOTS}"


def _mask_chat(address: str) -> str:
    # In an Apprise URL the host is often the secret itself.
    return f"{address.partition('://')[0]}://{_DOTS}"


def _mask_token(address: str) -> str:
    return f"{_DOTS}{address[-4:] if len(address) >= 16 else ''}"


def _mask_subscription(address: str) -> str:
    try:
        return _mask_url(str(json.loads(address)["endpoint"]))
    except (ValueError, KeyError, TypeError):
        return _DOTS


_FORMS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "email": (_email, _mask_email),
    "sms": (_phone, _mask_phone),
    "voice": (_phone, _mask_phone),
    "push": (_token, _mask_token),
    "web_push": (_subscription, _mask_subscription),
    "webhook": (_web_url, _mask_url),
    "chat": (_chat_url, _mask_chat),
}
