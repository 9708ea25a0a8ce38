import pytest

from notifications import accounts
from notifications.models import ProviderAccount
from tests.notifications.api.conftest import pointers, service

PATH = "/api/v1/provider_accounts"
OPTIONS = {"host": "127.0.0.1", "port": 2525, "from": "shop@example.com", "password": "s3cret"}
BODY = {"provider": "smtp", "channel": "email", "options": OPTIONS, "order": 1, "enabled": True}


@pytest.fixture(autouse=True)
def _nothing_loaded():
    accounts.forget()
    yield
    accounts.forget()


def put(shop, body, name="main"):
    return shop.client.put(f"{PATH}/{name}", body, format="json", headers=shop._headers({}))


def test_an_account_is_set_up_and_read_without_its_credentials(shop):
    made = put(shop, BODY)

    assert made.status_code == 201
    assert made.json() == {
        "name": "main",
        "provider": "smtp",
        "channel": "email",
        "options": {
            "host": "127.0.0.1",
            "port": 2525,
            "username": "",
            "password": "•••",
            "security": None,
            "connections": 8,
            "chunking": True,
            "return_path": "",
            "dkim_domain": "",
            "dkim_selector": "",
            "dkim_private_key": None,
            "from": "shop@example.com",
        },
        "order": 1,
        "enabled": True,
        "rate_limit": None,
        "weight": 1,
        "countries": [],
        "categories": [],
    }
    assert shop.get(f"{PATH}/main").json() == made.json()
    assert shop.get(PATH).json() == {"results": [made.json()], "next": None}
    assert ProviderAccount.objects.get().options["password"] == "s3cret"


def test_what_get_gave_may_be_put_back(shop):
    put(shop, BODY)
    given = shop.get(f"{PATH}/main").json()
    given.pop("name")

    again = put(shop, given | {"enabled": False})

    assert again.status_code == 200
    assert again.json()["enabled"] is False
    assert ProviderAccount.objects.get().options["password"] == "s3cret"


def test_a_host_and_a_port_are_enough(shop):
    made = put(shop, BODY | {"options": {"host": "127.0.0.1", "port": 2525}})

    assert made.status_code == 201
    assert made.json()["options"]["from"] == ""


@pytest.mark.parametrize("moved", [{"host": "evil.example.com"}, {"port": 2526}, {"security": "none"}])
def test_a_stored_password_is_not_sent_to_another_server(shop, moved):
    put(shop, BODY)
    given = {name: value for name, value in OPTIONS.items() if name != "password"} | moved

    for options in (given, given | {"password": "•••"}):
        refused = put(shop, BODY | {"options": options})
        assert refused.status_code == 422
        assert pointers(refused) == {"/options/password": "required"}

    assert put(shop, BODY | {"options": given | {"password": "another"}}).status_code == 200
    assert ProviderAccount.objects.get().options["password"] == "another"


@pytest.mark.parametrize(
    ("provider", "options", "moved"),
    [
        ("vonage", {"api_secret": "s3cret"}, {"base_url": "https://evil.example.com"}),
        ("sns", {"region": "eu-west-1", "secret_access_key": "s3cret"}, {"base_url": "https://evil.example.com"}),
        ("anymail", {"esp": "sendgrid", "settings": {"api_key": "s3cret"}}, {"base_url": "https://evil.example.com"}),
        ("anymail", {"esp": "sendgrid", "settings": {"api_key": "s3cret"}}, {"esp": "mailgun"}),
    ],
)
def test_a_server_named_for_the_first_time_gets_no_stored_credential(shop, provider, options, moved):
    given = options | ({"api_key": "k", "from": "Shop"} if provider == "vonage" else {})
    assert put(shop, {"provider": provider, "options": given}).status_code == 201
    secrets = {"api_key", "api_secret", "secret_access_key", "settings"}

    refused = put(shop, {"provider": provider, "options": {n: v for n, v in given.items() if n not in secrets} | moved})

    assert refused.status_code == 422
    assert set(pointers(refused)) == {f"/options/{name}" for name in secrets & set(given)}
    assert not set(moved.values()) & set(map(str, ProviderAccount.objects.get().options.values()))


def test_an_unset_credential_is_null(shop):
    options = {name: value for name, value in OPTIONS.items() if name != "password"}

    assert put(shop, BODY | {"options": options}).json()["options"]["password"] is None


def test_only_the_provider_and_its_own_options_are_needed(shop):
    assert put(shop, {"provider": "smtp", "options": OPTIONS}).json()["channel"] == "email"
    assert put(shop, {"provider": "outbox", "channel": "sms"}, name="sms").json()["order"] == 10


def test_every_fault_is_named(shop):
    options = {"port": 99999, "security": "maybe", "from": "nobody", "colour": "red"}

    refused = put(shop, BODY | {"options": options, "channel": "sms"})

    assert refused.status_code == 422
    assert pointers(refused) == {
        "/channel": "unknown_channel",
        "/options/colour": "unknown_field",
        "/options/host": "required",
        "/options/port": "invalid_value",
        "/options/security": "invalid_value",
        "/options/from": "invalid_value",
    }
    assert not ProviderAccount.objects.exists()


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"provider": "pigeon"}, "/provider", "unknown_provider"),
        ({"provider": None}, "/provider", "wrong_type"),
        ({"order": -1}, "/order", "invalid_value"),
        ({"order": "1"}, "/order", "wrong_type"),
        ({"colour": "red"}, "/colour", "unknown_field"),
        ({"rate_limit": "as fast"}, "/rate_limit", "invalid_value"),
        ({"weight": 0}, "/weight", "invalid_value"),
        ({"countries": ["DE"]}, "/countries", "invalid_value"),
        ({"categories": ["nothing-of-ours"]}, "/categories", "unknown_category"),
        ({"options": {**OPTIONS, "host": "a\0b"}}, "/options/host", "invalid_string"),
        ({"options": []}, "/options", "wrong_type"),
    ],
)
def test_bad_input_is_refused_and_nothing_stored(shop, change, pointer, code):
    refused = put(shop, BODY | change)

    assert refused.status_code == 422
    assert pointers(refused) == {pointer: code}
    assert not ProviderAccount.objects.exists()


def test_an_account_may_serve_some_countries_and_categories(shop, orders):
    body = {"provider": "outbox", "channel": "sms", "weight": 3, "countries": ["de", "AT", "DE"]}

    made = put(shop, body | {"categories": ["orders"]}).json()

    assert (made["weight"], made["countries"], made["categories"]) == (3, ["AT", "DE"], ["orders"])
    assert pointers(put(shop, body | {"countries": ["XX"]})) == {"/countries": "invalid_value"}


def test_an_account_is_deleted(shop):
    put(shop, BODY)

    assert shop.delete(f"{PATH}/main").status_code == 204
    assert shop.get(f"{PATH}/main").status_code == 404
    assert shop.delete(f"{PATH}/main").status_code == 404


def test_other_scopes_see_nothing(caller):
    reader = service(caller, scopes=["read", "send", "templates"])

    assert reader.get(PATH).status_code == 403
    assert put(reader, BODY).status_code == 403


def test_an_over_long_name_is_refused(shop):
    assert pointers(put(shop, BODY, name="x" * 101)) == {"/name": "too_long"}
