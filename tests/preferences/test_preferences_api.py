from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from preferences import loading
from preferences.api.answers import EffectiveAnswer, PreferencesAnswer
from preferences.api.schemas import Channel
from preferences.channels import CHANNELS
from preferences.models import ConsentRecord, Mute, Preference

PATH = "/users/ada/preferences"
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
UNSET = dict.fromkeys(CHANNELS)
NO_WISHES = {"quiet_hours": None, "frequency_caps": [], "channel_priority": []}


def test_who_has_chosen_nothing_has_null_everywhere(api, ada, orders, offers):
    nothing = {"enabled": None, "channels": UNSET, "digest": None, "muted_until": None}

    answer = api.get(PATH)

    assert {"offers": nothing, "orders": nothing}.items() <= answer.pop("categories").items()
    assert answer == {"channels": UNSET, "types": {}, "muted_until": None} | NO_WISHES


def test_put_replaces_and_takes_what_get_gave(api, ada, orders, offers, weekly_offers):
    chosen = {
        "channels": {"email": True, "sms": None},
        "categories": {"offers": {"enabled": False, "channels": {"push": True}, "muted_until": "forever"}},
        "types": {"WEEKLY_OFFERS": {"muted_until": "2126-01-01T00:00:00Z"}},
        "muted_until": "2126-01-01T01:00:00+01:00",
    }
    status, answer = api("PUT", PATH, chosen)

    assert status == 200
    assert answer == api.get(PATH)
    assert answer["channels"] == UNSET | {"email": True}
    assert answer["categories"]["offers"] == {
        "enabled": False,
        "channels": UNSET | {"push": True},
        "digest": None,
        "muted_until": "forever",
    }
    assert answer["types"] == chosen["types"]
    assert answer["muted_until"] == "2126-01-01T00:00:00Z"

    lines = ConsentRecord.objects.count()
    assert api("PUT", PATH, answer) == (200, answer)
    assert ConsentRecord.objects.count() == lines == 6

    api("PUT", PATH, {})
    assert loading.choices(ada.pk) == {}
    assert not Mute.objects.exists()


def test_patch_changes_what_is_given_and_nothing_else(api, ada, offers):
    api("PUT", PATH, {"channels": {"email": False, "sms": True}, "categories": {"offers": {"enabled": True}}})

    status, answer = api(
        "PATCH", PATH, {"channels": {"email": None}, "categories": {"offers": {"channels": {"sms": False}}}}
    )

    assert status == 200
    assert answer["channels"] == UNSET | {"sms": True}
    assert answer["categories"]["offers"]["enabled"] is True
    assert answer["categories"]["offers"]["channels"] == UNSET | {"sms": False}
    assert api("PATCH", PATH, {})[1] == answer


def test_the_ledger_knows_which_service_it_was(api, ada, offers):
    api("PATCH", PATH, {"categories": {"offers": {"enabled": False}}}, **{"User-Agent": "shop/1.0"})

    line = ConsentRecord.objects.get()
    assert (line.subject, line.old, line.new) == ("category:offers", "unset", "no")
    assert (line.source, line.actor, line.agent) == ("api", "key:shop", "shop/1.0")


def test_the_cell_of_a_required_channel_is_locked_and_nothing_is_stored(api, ada, orders):
    body = {"channels": {"sms": True}, "categories": {"orders": {"channels": {"email": False, "sms": False}}}}
    for method in ("PUT", "PATCH"):
        status, answer = api(method, PATH, body)
        assert (status, answer["code"]) == (422, "locked_preference")
        assert [(error["pointer"], error["code"]) for error in answer["errors"]] == [
            ("/categories/orders/channels/email", "locked_preference")
        ]
    assert not Preference.objects.exists()


def test_a_whole_channel_may_always_be_switched_off(api, ada, orders):
    body = {"channels": {"email": False}, "categories": {"orders": {"enabled": False, "channels": {"email": None}}}}

    assert api("PUT", PATH, body)[0] == 200


def test_every_fault_is_named_in_one_answer(api, ada, orders):
    body = {
        "channels": {"fax": True},
        "categories": {
            "orders": {"channels": {"email": False, "telex": True}, "muted_until": "soon"},
            "nothing": {"enabled": True},
        },
        "types": {"NOTHING": {"muted_until": "forever"}},
        "muted_until": "2126-01-01T00:00:00",
        "quiet_hours": {"timezone": "Mars", "weekly": [{"days": WEEK, "from": "05:00", "until": "05:00"}]},
        "frequency_caps": [
            {"channel": "fax", "max": 5, "per": "day"},
            {"category": "nothing", "max": 5, "per": "day"},
            {"max": 1, "per": "week"},
            {"max": 2, "per": "week"},
        ],
        "channel_priority": ["push", "telex", "push"],
    }

    assert api.faults("PUT", PATH, body) == {
        "/channels/fax": "unknown_channel",
        "/categories/orders/channels/telex": "unknown_channel",
        "/categories/orders/channels/email": "locked_preference",
        "/categories/orders/muted_until": "invalid_time",
        "/categories/nothing": "unknown_category",
        "/types/NOTHING": "unknown_type",
        "/muted_until": "invalid_time",
        "/quiet_hours/timezone": "invalid_timezone",
        "/quiet_hours/weekly": "no_open_minute",
        "/frequency_caps/0/channel": "unknown_channel",
        "/frequency_caps/1/category": "unknown_category",
        "/frequency_caps/3": "duplicate",
        "/channel_priority/1": "unknown_channel",
        "/channel_priority/2": "duplicate",
    }
    assert not Preference.objects.exists() and not Mute.objects.exists()


def test_wrong_types_and_unknown_fields_are_named_beside_the_rest(api, ada, offers):
    body = {
        "chanels": {},
        "channels": {"email": "yes", "fax": None},
        "categories": {"offers": {"enabled": 1, "digests": 2}},
        "types": [],
        "muted_until": 5,
        "quiet_hours": {"weekly": [{"days": ["mon", "someday"], "from": "25:00", "until": "7:00"}, {"days": []}]},
        "frequency_caps": [{"max": 0, "per": "month"}],
    }

    assert api.faults("PATCH", PATH, body) == {
        "/chanels": "unknown_field",
        "/channels/email": "wrong_type",
        "/channels/fax": "unknown_channel",
        "/categories/offers/enabled": "wrong_type",
        "/categories/offers/digests": "unknown_field",
        "/types": "wrong_type",
        "/muted_until": "wrong_type",
        "/quiet_hours/weekly/0/days/1": "invalid_value",
        "/quiet_hours/weekly/0/from": "invalid_value",
        "/quiet_hours/weekly/0/until": "invalid_value",
        "/quiet_hours/weekly/1/days": "too_short",
        "/quiet_hours/weekly/1/from": "required",
        "/quiet_hours/weekly/1/until": "required",
        "/frequency_caps/0/max": "invalid_value",
        "/frequency_caps/0/per": "invalid_value",
    }


@pytest.mark.parametrize("body", [[], "x", 7, {"categories": {"offers": None}}, {"categories": {"offers": []}}])
def test_bodies_of_the_wrong_shape_are_refused(api, ada, offers, body):
    assert set(api.faults("PUT", PATH, body).values()) == {"wrong_type"}


def test_wishes_about_when_and_how_often_are_kept_and_told_in_the_ledger(api, ada, offers):
    wished = {
        "quiet_hours": {
            "timezone": "Europe/Berlin",
            "weekly": [{"days": ["tue", "mon"], "from": "22:00", "until": "07:00"}],
        },
        "frequency_caps": [{"channel": "push", "max": 5, "per": "day"}],
        "channel_priority": ["push", "email"],
        "categories": {"offers": {"digest": "daily"}},
    }

    status, answer = api("PATCH", PATH, wished)

    assert status == 200
    assert answer["quiet_hours"]["weekly"] == [{"days": ["mon", "tue"], "from": "22:00", "until": "07:00"}]
    assert answer["frequency_caps"] == [{"channel": "push", "category": None, "max": 5, "per": "day"}]
    assert (answer["channel_priority"], answer["categories"]["offers"]["digest"]) == (["push", "email"], "daily")
    lines = ConsentRecord.objects.order_by("id").values_list("subject", "old", "new")
    assert list(lines) == [
        ("quiet_hours", "unset", "mon,tue 22:00–07:00 Europe/Berlin"),
        ("frequency_caps", "unset", "push 5/day"),
        ("channel_priority", "unset", "push, email"),
        ("digests:offers", "unset", "daily"),
    ]
    assert api("PUT", PATH, answer) == (200, answer)
    assert ConsentRecord.objects.count() == 4


def test_a_time_of_day_with_a_line_end_is_none(api, ada):
    window = {"days": ["mon"], "from": "22:00\n", "until": "07:00"}

    assert list(api.faults("PATCH", PATH, {"quiet_hours": {"weekly": [window]}})) == ["/quiet_hours/weekly/0/from"]


def test_wishes_are_taken_back_by_empty_ones(api, ada, offers):
    api("PATCH", PATH, {"channel_priority": ["push"], "categories": {"offers": {"digest": "daily"}}})

    answer = api("PATCH", PATH, {"channel_priority": [], "categories": {"offers": {"digest": None}}})[1]

    assert {name: answer[name] for name in NO_WISHES} == NO_WISHES
    assert answer["categories"]["offers"]["digest"] is None
    api("PATCH", PATH, {"quiet_hours": {"weekly": [{"days": ["mon"], "from": "22:00", "until": "07:00"}]}})
    assert api("PATCH", PATH, {"quiet_hours": {"weekly": []}})[1]["quiet_hours"] is None
    api("PATCH", PATH, {"channel_priority": ["sms"]})
    assert api("PUT", PATH, {})[1]["channel_priority"] == []


def test_a_mute_that_is_over_is_shown_as_none(api, ada):
    Mute.objects.create(user=ada, until=datetime.now(tz=UTC) - timedelta(seconds=1))

    assert api.get(PATH)["muted_until"] is None
    assert api("PUT", PATH, {"muted_until": "2020-01-01T00:00:00Z"})[1]["muted_until"] is None


def test_a_mute_of_a_type_that_is_gone_may_be_given_back(api, ada, weekly_offers):
    answer = api("PATCH", PATH, {"types": {"WEEKLY_OFFERS": {"muted_until": "forever"}}})[1]
    weekly_offers.delete()

    assert api("PUT", PATH, answer) == (200, answer)


def test_effective_shows_what_applies_and_why(api, ada, orders, offers):
    api("PATCH", PATH, {"channels": {"email": False}, "categories": {"offers": {"channels": {"sms": True}}}})

    answer = api.get(f"{PATH}?effective=true")

    locked = answer["categories"]["orders"]["channels"]["email"]
    assert (locked["enabled"], locked["locked"], locked["rule"]) == (True, True, "required")
    cells = answer["categories"]["offers"]["channels"]
    assert (cells["email"]["enabled"], cells["email"]["rule"], cells["email"]["choice"]) == (False, "channel", None)
    assert (cells["sms"]["enabled"], cells["sms"]["rule"], cells["sms"]["choice"]) == (True, "category_channel", True)
    assert (cells["push"]["enabled"], cells["push"]["rule"]) == (False, "category_default")
    assert (cells["in_app"]["enabled"], cells["in_app"]["text"]) == (
        True,
        "By default you get notifications in the app for Offers, and you have not chosen otherwise.",
    )
    assert answer["channels"]["email"] == {
        "enabled": False,
        "choice": False,
        "locked": False,
        "rule": "channel",
        "source": "person",
        "text": "You turned e-mail off.",
    }
    assert api.faults("GET", f"{PATH}?effective=perhaps", None) == {"/effective": "invalid_value"}


def test_the_schemas_know_every_channel():
    assert set(Channel.__args__) == set(CHANNELS)


def test_the_answers_are_as_openapi_describes_them(api, ada, orders, offers):
    assert msgspec.to_builtins(msgspec.convert(api.get(PATH), PreferencesAnswer)) == api.get(PATH)
    effective = api.get(f"{PATH}?effective=true")
    assert msgspec.to_builtins(msgspec.convert(effective, EffectiveAnswer)) == effective
