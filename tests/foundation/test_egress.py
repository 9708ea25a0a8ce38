"""Where the guard lets us connect, and that we connect nowhere else."""

import asyncio
from ipaddress import ip_address, ip_network

import pytest

from project.foundation import egress
from project.foundation.egress import NotFound, Refused

PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"]
NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # Alibaba Cloud's metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure's wire server
    "169.254.169.254",  # AWS, Google Cloud, Azure
    "169.254.170.2",  # Amazon ECS
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",  # Oracle Cloud's metadata
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",  # Teredo
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2606:4700::5efe:127.0.0.1",  # ISATAP
    "2606:4700::200:5efe:10.0.0.1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # AWS, by IPv6
    "fe80::1",
    "fe80::5efe:8.8.8.8",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


def resolver(*answers: list[str]):
    """A name server that gives these answers, one after the other."""
    waiting = list(answers)

    async def resolve(host: str) -> list[str]:
        resolve.asked.append(host)
        return waiting.pop(0)

    resolve.asked = []
    return resolve


def resolve(url: str, *answers: list[str]):
    return asyncio.run(egress.resolve(url, resolver=resolver(*answers)))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_open_internet_is_public(address):
    assert egress.is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_everything_else_is_not(address):
    assert not egress.is_public(ip_address(address))
    with pytest.raises(Refused, match="public internet"):
        resolve("https://hook.example.com/", [address])
    with pytest.raises(Refused):
        egress.check(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0X7F.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "127.0.0.01",
        "１２７.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[fe80::1%25eth0]",
        "1.2.3.4.5",
        "example.0x1",
    ],
)
def test_no_spelling_of_an_address_gets_through(host, settings):
    with pytest.raises(Refused):
        egress.check(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://example.com:8443/",
        "https://example.com:80/",
        "https://example.com:0/",
        "https://ada@example.com/",
        "https://ada:pw@example.com/",
        "https://example.com@127.0.0.1/",
        "https://127.0.0.1\\@example.com/",
        "https://exa mple.com/",
        "https://example.com/\r\nHost: x",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/",
        "https://",
        "https:///path",
        "https://[::1",
        "https://example.com:99999/",
        "https://./",
        "javascript:alert(1)",
    ],
)
def test_a_url_of_any_other_form_is_refused_before_anything_is_looked_up(url):
    with pytest.raises(Refused):
        egress.check(url)
    with pytest.raises(Refused):
        resolve(url)


def test_the_connection_goes_to_the_address_that_was_judged():
    (target,) = resolve("https://hooks.Example.com/in?a=b", ["93.184.215.14"])

    assert target.url == "https://93.184.215.14/in?a=b"
    assert (target.host, target.server_name) == ("hooks.example.com", "hooks.example.com")


def test_an_ipv6_address_stands_in_brackets():
    (target,) = resolve("https://hooks.example.com/in", ["2606:4700::1111"])

    assert (target.url, target.host) == ("https://[2606:4700::1111]/in", "hooks.example.com")


def test_a_name_in_other_letters_is_looked_up_as_the_network_knows_it():
    asked = resolver(["8.8.8.8"])

    (target,) = asyncio.run(egress.resolve("https://bücher.example/", resolver=asked))

    assert asked.asked == ["xn--bcher-kva.example"]
    assert target.server_name == "xn--bcher-kva.example"


def test_one_bad_address_among_good_ones_refuses_the_host():
    with pytest.raises(Refused):
        resolve("https://hooks.example.com/", ["93.184.215.14", "10.0.0.1"])


def test_a_host_is_looked_up_once_and_what_it_says_next_is_never_asked():
    """DNS rebinding: a public address for the guard, a private one for the connection."""
    asked = resolver(["93.184.215.14"], ["127.0.0.1"])

    targets = asyncio.run(egress.resolve("https://rebind.example.com/", resolver=asked))

    assert asked.asked == ["rebind.example.com"]
    assert [target.url for target in targets] == ["https://93.184.215.14/"]


def test_a_host_without_addresses_is_not_found():
    async def fails(host: str) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(NotFound):
        asyncio.run(egress.resolve("https://nowhere.example/", resolver=fails))
    with pytest.raises(NotFound):
        resolve("https://nowhere.example/", [])


def test_the_systems_own_names_are_resolved_and_refused():
    with pytest.raises(Refused, match="public internet"):
        asyncio.run(egress.resolve("https://localhost/"))


def test_inside_allowed_networks_http_and_any_port_are_fine(settings):
    settings.EGRESS_ALLOW = [ip_network("10.1.0.0/16"), ip_network("fd00:1::/64")]

    assert resolve("http://inner.example:8080/in", ["10.1.2.3"])[0].url == "http://10.1.2.3:8080/in"
    assert resolve("http://inner.example:8080/in", ["10.1.2.3"])[0].host == "inner.example:8080"
    assert resolve("http://inner.example/", ["10.1.2.3"])[0].server_name is None
    assert resolve("https://[fd00:1::9]:9443/")[0].url == "https://[fd00:1::9]:9443/"
    assert resolve("http://inner.example/", ["::ffff:10.1.2.3"])


@pytest.mark.parametrize("addresses", [["10.2.0.1"], ["10.1.0.1", "10.2.0.1"], ["127.0.0.1"]])
def test_an_allowed_network_opens_no_other(settings, addresses):
    settings.EGRESS_ALLOW = [ip_network("10.1.0.0/16")]

    with pytest.raises(Refused):
        resolve("http://inner.example/", addresses)


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com:8443/"])
def test_an_allowed_network_opens_no_port_of_the_open_internet(settings, url):
    settings.EGRESS_ALLOW = [ip_network("10.1.0.0/16")]

    with pytest.raises(Refused, match="allowed"):
        resolve(url, ["93.184.215.14"])


def test_a_refusal_names_no_address():
    with pytest.raises(Refused) as refusal:
        resolve("https://hooks.example.com/s3cret", ["10.0.0.7"])

    assert not any(word in str(refusal.value) for word in ("hooks", "s3cret", "10.0.0.7"))
