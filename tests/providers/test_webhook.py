"""Webhooks: signed as the Standard Webhooks specification says, and sent nowhere but where the guard lets us."""

import asyncio
import json
import ssl
import subprocess
from datetime import UTC, datetime
from ipaddress import ip_network
from uuid import UUID

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from notifications.providers.base import Message, Outcome
from notifications.providers.webhook import Webhook, WebhookOptions, signed
from preferences import webhook_secrets
from tests.providers.http_server import Says, Service

NEW, OLD, OTHER = webhook_secrets.new(), webhook_secrets.new(), webhook_secrets.new()
BODY = json.dumps({"type": "ORDER_SHIPPED", "title": "Grüße, 你好"})


@pytest.fixture
def this_machine_allowed(settings):
    settings.EGRESS_ALLOW = [ip_network("127.0.0.0/8")]


def message(to: str, *secrets: str) -> Message:
    return Message(UUID(int=17), "webhook", to, {"json": BODY}, secrets=secrets or (NEW,))


def send(*says, path="/in?a=b", secrets=(NEW,), timeout=2.0) -> tuple[Outcome, list]:
    async def run():
        async with Service(*says) as service:
            provider = Webhook(WebhookOptions(), timeout=timeout)
            (outcome,) = await provider.send_many([message(service.url + path, *secrets)])
            await provider.close()
            return outcome, service.asked

    return asyncio.run(run())


def send_to(url: str, *, resolver=None, **options) -> Outcome:
    async def run():
        provider = Webhook(WebhookOptions(**options), timeout=1)
        provider.resolver = resolver
        (outcome,) = await provider.send_many([message(url)])
        await provider.close()
        return outcome

    return asyncio.run(run())


def test_a_receiver_verifies_it_with_the_official_library(this_machine_allowed):
    outcome, (asked,) = send(Says(204))

    assert outcome == Outcome.accepted(str(UUID(int=17)))
    assert (asked.method, asked.path) == ("POST", "/in?a=b")
    assert Verifier(NEW).verify(asked.body, asked.headers) == json.loads(BODY)
    assert asked.headers["webhook-id"] == str(UUID(int=17))
    assert asked.headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Verifier(OTHER).verify(asked.body, asked.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(NEW).verify(asked.body + b" ", asked.headers)


def test_the_signature_is_that_of_the_specification():
    """The secret and body of the specification's reference implementations."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    known = Message(UUID(int=0), "webhook", "", {}, secrets=(secret,))

    ours = signed(known, b'{"test": 2432232314}', at=1614265330)["webhook-signature"]

    then = datetime.fromtimestamp(1614265330, tz=UTC)
    assert Verifier(secret).sign(str(UUID(int=0)), then, '{"test": 2432232314}') == ours


def test_while_a_secret_is_replaced_either_of_the_two_verifies(this_machine_allowed):
    _, (asked,) = send(secrets=(NEW, OLD))

    assert Verifier(NEW).verify(asked.body, asked.headers)
    assert Verifier(OLD).verify(asked.body, asked.headers)


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 422, 429, 500, 503, 504])
def test_anything_but_a_yes_is_tried_again(status, this_machine_allowed):
    outcome, asked = send(Says(status, headers={"Location": "/elsewhere"}))

    assert outcome.kind == "transient"
    assert len(asked) == 1, "no redirect is followed"


def test_a_wait_is_heard(this_machine_allowed):
    assert send(Says(503, headers={"Retry-After": "120"}))[0].retry_after == 120


def test_an_endpoint_that_is_gone_is_dead(this_machine_allowed):
    outcome, _ = send(Says(410))

    assert (outcome.kind, outcome.dead_address) == ("recipient", "gone")


@pytest.mark.parametrize("then", ["hang", "reset"])
def test_a_lost_answer_leaves_it_unknown(then, this_machine_allowed):
    assert send(Says(then=then), timeout=0.3)[0].kind == "unknown"


def test_without_permission_nothing_on_this_machine_is_asked(settings):
    outcome, asked = send(Says())

    assert (outcome.kind, asked) == ("recipient", [])
    assert "127.0.0.1" not in outcome.error


def test_a_name_that_leads_inside_is_refused(settings):
    async def inside(host):
        return ["93.184.215.14", "169.254.169.254"]

    outcome = send_to("https://hooks.example.com/", resolver=inside)

    assert outcome.kind == "recipient"
    assert outcome.error == "The address is not allowed. The host is not on the public internet."


def test_a_name_that_is_not_found_is_tried_again(settings):
    async def nowhere(host):
        raise OSError

    assert send_to("https://hooks.example.com/", resolver=nowhere).kind == "transient"


def test_a_rebinding_name_reaches_only_what_was_judged(this_machine_allowed):
    """The name server's second answer would be another server; it is never asked for."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    async def rebinding(host):
        return answers.pop(0)

    async def run():
        async with Service() as service:
            provider = Webhook(WebhookOptions(), timeout=2)
            provider.resolver = rebinding
            url = f"http://rebind.example:{service.port}/in"
            (outcome,) = await provider.send_many([message(url)])
            await provider.close()
            return outcome, service.asked, service.port

    outcome, (asked,), port = asyncio.run(run())

    assert (outcome.kind, len(answers)) == ("accepted", 1)
    assert asked.headers["host"] == f"rebind.example:{port}"


def test_the_second_address_is_tried_when_the_first_does_not_answer(this_machine_allowed):
    async def two(host):
        return ["127.0.0.9", "127.0.0.1"]

    async def run():
        async with Service() as service:  # listens on 127.0.0.1 alone
            provider = Webhook(WebhookOptions(), timeout=2)
            provider.resolver = two
            (outcome,) = await provider.send_many([message(f"http://two.example:{service.port}/")])
            await provider.close()
            return outcome

    assert asyncio.run(run()).kind == "accepted"


def test_a_certificate_must_be_of_the_host_that_was_asked_for(this_machine_allowed, tmp_path, monkeypatch):
    """The connection goes to an address; the certificate is the name's."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
        + ["-keyout", key, "-out", cert, "-subj", "/CN=hooks.example.com"]
        + ["-addext", "subjectAltName=DNS:hooks.example.com"],
        check=True,
        capture_output=True,
    )
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(cert, key)
    names = []
    served.sni_callback = lambda sock, name, context: names.append(name)

    async def here(host):
        return ["127.0.0.1"]

    async def run(host):
        async with Service(ssl=served) as service:
            provider = Webhook(WebhookOptions(), timeout=2)
            provider.resolver = here
            provider.trusted = ssl.create_default_context(cafile=str(cert))
            (outcome,) = await provider.send_many([message(f"https://{host}:{service.port}/")])
            await provider.close()
            return outcome, service.asked

    outcome, asked = asyncio.run(run("hooks.example.com"))
    assert (outcome.kind, len(asked)) == ("accepted", 1)
    assert names == ["hooks.example.com"]
    outcome, asked = asyncio.run(run("other.example.com"))
    assert (outcome.kind, asked) == ("transient", [])
    assert outcome.error == "The webhook's server showed a certificate that is not valid."


def test_an_operators_proxy_takes_everything_in_place_of_the_servers():
    async def run():
        async with Service() as service:
            provider = Webhook(WebhookOptions(base_url=f"{service.url}/out/"), timeout=1)
            await provider.send_many([message("https://hooks.example.com/in?a=b")])
            await provider.close()
            return service.asked

    (asked,) = asyncio.run(run())

    assert (asked.path, asked.headers["host"]) == ("/out/in?a=b", "hooks.example.com")
