"""The guard on where we connect when somebody else names the place: webhooks, browsers' push services, chats, files.

A host is resolved once, every address of it is judged, and the connection goes to one of those that were judged: a name
that answers otherwise a moment later (DNS rebinding) changes nothing. Outside settings.EGRESS_ALLOW only https on port
443 to public addresses is allowed; inside these networks http and any port are too. What an operator writes into a
provider account does not pass here.

`ipaddress.is_global` alone is not enough: on Python 3.11 it takes NAT64, 6to4 and multicast addresses for global.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit, urlunsplit

import idna
from django.conf import settings

Address = IPv4Address | IPv6Address
Resolver = Callable[[str], Awaitable[list[str]]]

_PORTS = {"https": 443, "http": 80}
_LOOKUPS = 16  # names looked up at once in a process, in threads of their own: a slow name server stops nobody else

# Never public, whatever is_global says. Sources: the IANA special-purpose registries (RFC 6890 and its updates).
_DENIED = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT; one cloud has its metadata there
        "168.63.129.16/32",  # Azure's wire server: a public address that means the machine's own host
        "192.0.0.0/24",  # 192.0.0.192 is another cloud's metadata
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "240.0.0.0/4",
        "2001::/23",  # with Teredo
        "3fff::/20",  # for documentation
    )
]
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out (RFC 4291 §2.4)
# IPv6 networks whose addresses hold an IPv4 one, and by how many bits it lies above the low end.
_EMBEDDING = [
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped (RFC 4291)
    (IPv6Network("::/96"), 0),  # compatible (RFC 4291)
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64 (RFC 6052)
    (IPv6Network("2002::/16"), 80),  # 6to4 (RFC 3056)
]
_ISATAP = (0x5EFE, 0x02005EFE)  # the upper half of an interface id that ends in an IPv4 address (RFC 5214 §6.1)


class Refused(Exception):
    """We do not connect there. The message is a sentence that says why and names no address."""


class NotFound(Exception):
    """The host has no address, or its name could not be looked up in time."""


@dataclass(frozen=True)
class Target:
    """Where to connect: to `url`, which holds an address instead of the name, and to nothing else."""

    url: str
    host: str  # for the Host header
    server_name: str | None  # for SNI and the certificate; None on http


def check(url: str) -> None:
    """Refuse what can be refused without looking anything up. Raises Refused."""
    _literal(_parts(url))


async def resolve(url: str, *, resolver: Resolver | None = None) -> list[Target]:
    """Return where the URL's host may be reached, best first; its name is looked up once.

    Raises Refused when any of its addresses may not be connected to, and NotFound.
    """
    parts = _parts(url)
    literal = _literal(parts)
    found = [literal] if literal else await _look_up(_host(parts), resolver or _system_resolver)
    for address in found:
        _judge(parts, address)
    return [_target(parts, address) for address in found]


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, and so are those that it stands for."""
    if isinstance(address, IPv6Address):
        if (held := _embedded(address)) is not None:  # it leads there, whatever else it is
            return is_public(held)
        if (held := _interface(address)) is not None and not is_public(held):
            return False
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _DENIED)


def is_allowed(address: Address) -> bool:
    """Whether an operator opened the network of this address, by settings.EGRESS_ALLOW."""
    held = _embedded(address) if isinstance(address, IPv6Address) else None
    return any(each in network for network in settings.EGRESS_ALLOW for each in (address, held) if each is not None)


def _parts(url: str) -> SplitResult:
    if not url.isprintable() or set(" \\") & set(url):
        raise Refused("A URL holds no spaces, backslashes or control characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Refused("This is not a URL.") from None
    if parts.scheme not in _PORTS or not host or port == 0:
        raise Refused("A URL has the form https://example.com/path.")
    if "@" in parts.netloc:
        raise Refused("A URL may not carry a name or password.")
    if not settings.EGRESS_ALLOW:
        _only_https(parts)
    return parts


def _only_https(parts: SplitResult) -> None:
    if parts.scheme != "https":
        raise Refused("Only https is allowed.")
    if _port(parts) != _PORTS["https"]:
        raise Refused("Only port 443 is allowed.")


def _literal(parts: SplitResult) -> Address | None:
    """Return the address that the URL names in place of a host, judged; None when it names a host."""
    host = _host(parts)
    last = host.rpartition(".")[2]
    # WHATWG URL §3.5: a host whose last label is a number is an IPv4 address. Only the usual spelling is taken: 127.1,
    # 0x7f000001, 017700000001 and 2130706433 are all 127.0.0.1, and nobody writes them in good faith.
    if ":" not in host and not (last.isdigit() or last.startswith("0x")):
        return None
    try:
        address = ip_address(host)
    except ValueError:
        raise Refused("The URL's host is not an address in its usual spelling.") from None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise Refused("An address may not name a network interface.")
    _judge(parts, address)
    return address


def _judge(parts: SplitResult, address: Address) -> None:
    if is_allowed(address):
        return
    if not is_public(address):
        raise Refused("The host is not on the public internet.")
    _only_https(parts)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            raise Refused("The URL's host is not a domain name.") from None
    if not host:
        raise Refused("The URL has no host.")
    return host.lower()


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def _target(parts: SplitResult, address: Address) -> Target:
    name = _host(parts)
    port = "" if _port(parts) == _PORTS[parts.scheme] else f":{_port(parts)}"
    at = f"[{address}]" if address.version == 6 else str(address)
    return Target(
        url=urlunsplit((parts.scheme, f"{at}{port}", parts.path or "/", parts.query, "")),
        host=f"[{name}]{port}" if ":" in name else f"{name}{port}",
        server_name=name if parts.scheme == "https" else None,
    )


async def _look_up(host: str, resolver: Resolver) -> list[Address]:
    try:
        found = [ip_address(each.partition("%")[0]) for each in await resolver(host)]
    except (OSError, UnicodeError):
        raise NotFound("The host was not found.") from None
    if not found:
        raise NotFound("The host has no address.")
    return list(dict.fromkeys(found))


async def _system_resolver(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    lookup = loop.run_in_executor(
        _threads(os.getpid()), lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    )
    return [str(sockaddr[0]) for *_, sockaddr in await lookup]


@cache
def _threads(pid: int) -> ThreadPoolExecutor:
    """The threads of this process: a fork inherits none."""
    return ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="egress-lookup")


def _embedded(address: IPv6Address) -> IPv4Address | None:
    for network, above in _EMBEDDING:
        if address in network:
            return IPv4Address(int(address) >> above & 0xFFFFFFFF)
    return None


def _interface(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an ISATAP interface id holds, in whichever network it is."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if int(address) >> 32 & 0xFFFFFFFF in _ISATAP else None
