"""How messages of SNS prove themselves: signed here by a certificate of our own, which stands in for that of SNS."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from notifications.providers import options, sns_messages
from notifications.providers.callbacks import Callback, NotGenuine
from notifications.providers.sns import SNS
from tests.providers.http_server import Says, Service

TOPIC = "arn:aws:sns:eu-west-1:123456789012:texts"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem"
STORED = {"region": "eu-west-1", "access_key_id": "k", "secret_access_key": "s", "topics": f"arn:other, {TOPIC}"}


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def pem(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    today = datetime.now(tz=UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, today, today + timedelta(days=1))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def message(key):
    """Return a function that makes a signed message, as the developer guide shows one."""

    def made(*, signed_as=None, version="2", **fields):
        said = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Subject": "My First Message",
            "Message": "Hello world!",
            "Timestamp": datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE,
            "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        } | fields
        said = {name: value for name, value in said.items() if value is not None}
        names = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
        if said["Type"] != "Notification":
            names.remove("Subject")
        text = "".join(f"{name}\n{said[name]}\n" for name in names if name in said)
        algorithm = {"1": hashes.SHA1(), "2": hashes.SHA256()}[signed_as or version]
        signature = key.sign(text.encode(), padding.PKCS1v15(), algorithm)
        return said | {"Signature": base64.b64encode(signature).decode()}

    return made


@pytest.fixture
def verify(pem):
    """Return a function that verifies a message as an account would; it returns what the account fetched."""

    def verified(said, **more):
        fetched = []
        provider = SNS(options.resolve(SNS.Options, STORED | more), timeout=5)

        async def get(url):
            fetched.append(url)
            return pem

        provider._topics.get = get
        asyncio.run(provider.verify(callback(said)))
        return fetched

    return verified


def callback(said):
    headers = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": str(said.get("Type"))}
    return Callback("https://carillon.example.com/receipts/sns/texts/", headers, json.dumps(said).encode())


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["My First Message", None])
def test_a_message_that_sns_signed_is_genuine(message, verify, version, subject):
    assert verify(message(version=version, Subject=subject)) == [CERTIFICATE]


@pytest.mark.parametrize(
    "changes",
    [
        {"Message": "Goodbye"},
        {"MessageId": "other"},
        {"Subject": "Other"},
        {"Signature": "bm90IGEgc2lnbmF0dXJl"},
        {"Signature": "%%%"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": "1"},
        {"Type": "UnsubscribeConfirmation", "Token": "x", "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/"},
        {"Timestamp": "yesterday"},
    ],
)
def test_a_message_that_was_changed_is_not_genuine(message, verify, changes):
    with pytest.raises(NotGenuine):
        verify(message() | changes)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_recorded_message_is_not_genuine(message, verify, minutes):
    at = (datetime.now(tz=UTC) + timedelta(minutes=minutes)).isoformat()

    with pytest.raises(NotGenuine):
        verify(message(Timestamp=at))


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://evil.example#sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://snsxeu-west-1.amazonaws.com/a.pem",
        "https://bucket.s3.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/?Action=Publish",
        "https://sns.evil.eu-west-1.amazonaws.com/a.pem",
        "https://[::1/a.pem",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_not_even_fetched(message, pem, url):
    fetched = []

    async def fetch(url):
        fetched.append(url)
        return pem

    with pytest.raises(NotGenuine):
        asyncio.run(sns_messages.verify(message(SigningCertURL=url), topics=frozenset({TOPIC}), fetch=fetch))
    assert fetched == []


@pytest.mark.parametrize(
    "host", ["sns.eu-west-1.amazonaws.com", "sns.us-gov-west-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn"]
)
def test_the_hosts_of_sns_are_known(host):  # fmt: skip
    assert sns_messages.is_of_sns(f"https://{host}/a.pem")


@pytest.mark.parametrize("topics", ["", "arn:aws:sns:eu-west-1:123456789012:other"])
def test_topics_that_were_not_named_report_nothing(message, verify, topics):
    with pytest.raises(NotGenuine):
        verify(message(), topics=topics)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"Type": "Notification"}'])
def test_what_is_unsigned_or_nothing_of_sns_is_not_genuine(body):
    provider = SNS(options.resolve(SNS.Options, STORED), timeout=5)

    with pytest.raises(NotGenuine):
        asyncio.run(provider.verify(Callback("https://carillon.example.com/", {}, body)))


def confirmation(message, url, **more):
    return message(
        Type="SubscriptionConfirmation",
        Token="2336412f37",
        SubscribeURL=url,
        Message="To confirm …",
        Subject=None,
        **more,
    )


CONFIRM = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=2336412f37"


def test_the_subscription_of_our_topic_is_confirmed_and_reports_nothing(message, verify):
    said = confirmation(message, CONFIRM)

    assert verify(said) == [CERTIFICATE, CONFIRM]
    assert SNS(options.resolve(SNS.Options, STORED), timeout=5).read_receipts(callback(said)) == []


def test_no_other_subscription_is_confirmed(message, verify):
    with pytest.raises(NotGenuine):
        verify(confirmation(message, CONFIRM, TopicArn="arn:aws:sns:eu-west-1:666:theirs"))
    with pytest.raises(NotGenuine):
        verify(confirmation(message, "https://evil.example/?Action=ConfirmSubscription"))


def test_a_certificate_is_fetched_once_and_an_answer_that_fails_is_asked_for_again(pem):
    async def run():
        async with Service(Says(503), Says(200, pem)) as service:
            provider = SNS(options.resolve(SNS.Options, STORED), timeout=5)
            with pytest.raises(TimeoutError):
                await provider._topics.certificate(f"{service.url}/a.pem")
            for _ in range(3):
                assert await provider._topics.certificate(f"{service.url}/a.pem") == pem
            await provider.close()
            return service.asked

    assert len(asyncio.run(run())) == 2
