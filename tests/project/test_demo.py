import json
import stat

import pytest
from django.core.management import call_command

from notifications import accounts
from notifications.access import keys
from notifications.access.scopes import SCOPES
from notifications.models import OutboxMessage, ProviderAccount
from preferences import users
from preferences.channels import CHANNELS
from preferences.models import Category, User
from project.foundation.models import AuditEvent
from templates_app import rendering, samples, schemas
from templates_app.models import Template, TemplateVersion, Type
from tests.flow import run_until_idle
from tests.notifications.api.conftest import Service

TYPES = ["NEW_COMMENT", "ORDER_CONFIRMATION", "ORDER_SHIPPED", "PASSWORD_RESET", "WEEKLY_OFFERS"]


@pytest.fixture(autouse=True)
def var_dir(settings, tmp_path, db):
    settings.VAR_DIR = tmp_path
    accounts.forget()
    yield tmp_path
    accounts.forget()


@pytest.fixture
def demo(var_dir):
    call_command("demo", verbosity=0)
    return json.loads((var_dir / "demo.json").read_text())


def test_the_demo_has_what_its_readers_rely_on(demo):
    assert list(User.objects.filter(is_staff=False).order_by("user_id").values_list("user_id", flat=True)) == [
        "ada",
        "bob",
        "chen",
    ]
    for user in User.objects.filter(is_staff=False):
        assert set(user.contact_points.values_list("channel", flat=True)) >= {"email", "sms"}
    required = {category.key: category.required_channels for category in Category.objects.all()}
    assert required == {
        "orders": ["email"],
        "account": ["email", "sms"],
        "offers": [],
        "social": [],
        "digests": [],  # of every installation
    }
    assert Category.objects.get(key="account").urgent
    outbox = ProviderAccount.objects.filter(provider="outbox", order=100).values_list("channel", flat=True)
    assert set(outbox) == CHANNELS.keys() - {"in_app"}


def test_every_type_says_everything_in_two_languages_on_every_channel(demo):
    types = Type.objects.exclude(template=None).select_related("template", "category").order_by("key")

    assert [each.key for each in types] == TYPES
    for each in types:
        contents = rendering.version_contents(each.template.published_id)
        examples = schemas.examples(each.schema)
        assert examples
        for example in examples:
            assert schemas.faults(each.schema, example) == []
            for locale in ("en", "de"):
                for channel in CHANNELS.values():
                    rendered = rendering.render(
                        contents,
                        channel=channel.key,
                        locale=locale,
                        timezone="Europe/Berlin",
                        variables=samples.variables(example, each),
                    )
                    assert rendered.locale == locale
                    assert rendered.parts[channel.parts[0]].strip()


def test_texts_for_phones_hold_nothing_that_halves_an_sms(demo):
    # GSM 03.38 has no such characters: one of them leaves 70 instead of 160.
    for each in Type.objects.exclude(template=None).select_related("template", "category"):
        contents = rendering.version_contents(each.template.published_id)
        for example in schemas.examples(each.schema):
            for locale in ("en", "de"):
                variables = samples.variables(example, each)
                parts = rendering.render(contents, channel="sms", locale=locale, timezone="", variables=variables).parts
                assert not set(parts["text"]) & set("\u00a0\u202f–—“”„’…•")


def test_only_the_documented_variables_of_an_order_are_required(demo):
    assert sorted(Type.objects.get(key="ORDER_CONFIRMATION").schema["required"]) == ["customer_name", "order_id"]


def test_its_credentials_work_and_are_its_owners_alone(demo, var_dir):
    assert demo.keys() == {"url", "admin", "live_key", "test_key"}
    assert stat.S_IMODE((var_dir / "demo.json").stat().st_mode) == 0o600
    assert [path.name for path in var_dir.iterdir()] == ["demo.json"]
    for mode in ("live", "test"):
        known = keys.check(demo[f"{mode}_key"])
        assert (known.mode, known.caller_key, known.scopes) == (mode, "demo", frozenset(SCOPES))
    admin = User.objects.get(user_id=demo["admin"]["username"])
    assert admin.is_superuser
    assert admin.check_password(demo["admin"]["password"])


def test_loading_it_twice_equals_once(demo, var_dir):
    def counts():
        return [model.objects.count() for model in (User, Category, Type, Template, TemplateVersion, ProviderAccount)]

    before = counts()
    call_command("demo", verbosity=0)

    assert counts() == before
    assert json.loads((var_dir / "demo.json").read_text()) == demo


def test_loading_it_again_keeps_what_people_changed(demo):
    users.upsert("ada", users.UserFields(name="Ada King"))
    Type.objects.filter(key="NEW_COMMENT").update(priority="HIGH")
    ProviderAccount.objects.filter(name="outbox-sms").update(enabled=False)

    call_command("demo", verbosity=0)

    assert User.objects.get(user_id="ada").name == "Ada King"
    assert Type.objects.get(key="NEW_COMMENT").priority == "HIGH"
    assert not ProviderAccount.objects.get(name="outbox-sms").enabled


@pytest.mark.parametrize("left", ["", "{", "[]", '{"live_key": 1, "admin": null}'])
def test_lost_credentials_are_made_anew_and_the_old_keys_end(demo, var_dir, left):
    (var_dir / "demo.json").write_text(left)

    call_command("demo", verbosity=0)

    fresh = json.loads((var_dir / "demo.json").read_text())
    assert fresh["live_key"] != demo["live_key"]
    assert keys.check(fresh["live_key"]) is not None
    keys.forget(demo["live_key"].split("_")[2])
    assert keys.check(demo["live_key"]) is None
    assert User.objects.get(user_id="admin").check_password(fresh["admin"]["password"])


def test_somebody_elses_admin_is_left_alone(var_dir):
    own = User.objects.create_superuser("admin", "their own password")

    call_command("demo", verbosity=0)

    own.refresh_from_db()
    assert own.check_password("their own password")
    assert json.loads((var_dir / "demo.json").read_text())["admin"]["username"] == "demo-admin"


def test_no_credential_stands_in_the_audit_trail(demo):
    trail = json.dumps(list(AuditEvent.objects.values_list("action", "target", "detail")))

    assert demo["live_key"].split("_", 3)[3] not in trail
    assert demo["admin"]["password"] not in trail


def test_its_curl_line_arrives_in_the_persons_language(demo):
    live = object.__new__(Service)
    Service.__init__(live, None, demo["live_key"])
    body = {
        "user_id": "bob",
        "type": "ORDER_CONFIRMATION",
        "payload": {"template_variables": {"order_id": "1234", "customer_name": "Bob"}},
    }

    assert live.send(body).status_code == 202
    run_until_idle()

    (mail,) = OutboxMessage.objects.filter(channel="email")
    assert mail.parts["subject"] == "Ihre Bestellung Nr. 1234 ist bestätigt"
    assert live.get("/api/v1/outbox", user_id="bob").json()["results"][0]["to"] == "bob@example.com"
