"""What receipts say of addresses: dead ones, angry owners, and people who answer stop, start or help."""

import logging

import pytest

from notifications import accounts
from notifications.models import Delivery, ProviderAccount, ReceiptRecord
from notifications.providers.base import Outcome
from notifications.receipts import catching_up
from preferences import suppressions
from preferences.consent import Origin
from preferences.models import ConsentRecord, ContactPoint, Suppression
from preferences.suppressions import Reason, Unwanted
from tests.notifications.gazette import report

pytestmark = pytest.mark.django_db
PHONE = "+49300000003"  # of ada, as the fixture has it


@pytest.fixture
def replies(monkeypatch):
    """What is sent to people in answer."""
    sent = []

    def send(account, messages):
        sent.extend((account.name, message.to, message.parts["text"]) for message in messages)
        return [Outcome.accepted("r-1")] * len(messages)

    monkeypatch.setattr(accounts, "send", send)
    return sent


def about(kind, number=1, **fields):
    return {"event_id": f"{kind}-{number}", "kind": kind, "provider_message_id": "m-1"} | fields


def written(kind, number=1, address=PHONE, **fields):
    return {"event_id": f"{kind}-{number}", "kind": kind, "address": address} | fields


def suppressed():
    return [(each.channel, each.reason) for each in Suppression.objects.all()]


def point_of(user):
    return user.contact_points.get(channel="sms")


@pytest.mark.parametrize(
    ("event", "status", "reason", "disabled"),
    [
        (about("bounced", permanent=True, detail="30005"), "bounced", "bounce", "bounced"),
        (about("complained"), "complained", "complaint", "complained"),
    ],
)
def test_a_dead_number_and_an_angry_owner_end_the_use_of_the_address(
    ada, text_message, event, status, reason, disabled
):
    text_message()

    report(event)
    report(event)

    assert Delivery.objects.get().status == status
    assert suppressed() == [("sms", reason)]
    assert point_of(ada).disabled_reason == disabled
    line = ConsentRecord.objects.get()
    assert (line.user, line.subject, line.new, line.actor) == (ada, "suppression:sms", reason, "account:news")


def test_a_number_that_was_merely_out_of_reach_stays_in_use(ada, text_message):
    text_message()

    report(about("bounced", permanent=False))

    assert Delivery.objects.get().status == "bounced"
    assert suppressed() == [] and point_of(ada).disabled_at is None


def test_the_address_that_bounced_is_the_one_that_was_sent_to(ada, text_message):
    text_message()
    ContactPoint.objects.filter(pk=point_of(ada).pk).update(address="+4930555", address_index=b"new")

    report(about("bounced", permanent=True, address=PHONE))

    assert suppressed() == [("sms", "bounce")]
    assert point_of(ada).disabled_at is None


def test_a_complaint_counts_though_nobody_knows_its_message(ada, news):
    point_of(ada)

    report(about("complained", address=PHONE))

    assert suppressed() == [("sms", "complaint")]


def test_who_asks_to_stop_hears_so_once_and_nothing_more(ada, news, replies):
    for number in (1, 2):
        report(written("stop", number))
        report(written("stop", number))
        catching_up.catch_up()
        catching_up.catch_up()

    assert suppressed() == [("sms", "stop")]
    assert replies == [("news", PHONE, "Carillon: You will get no more texts from us. Reply START to get them again.")]
    assert set(ReceiptRecord.objects.values_list("result", "due_at", "address")) == {("taken", None, "")}
    assert point_of(ada).disabled_at is None


def test_the_confirmation_is_in_the_language_of_its_reader(bob, news, replies):
    point = bob.contact_points.get(channel="sms")

    report(written("stop", address=point.address))
    catching_up.catch_up()

    [(_, _, text)] = replies
    assert text == "Carillon: Sie erhalten keine SMS mehr von uns. Antworten Sie START, um sie wieder zu erhalten."


def test_who_starts_again_is_told_again(ada, news, replies):
    report(written("stop"), written("start"))
    catching_up.catch_up()

    assert suppressed() == []
    assert [text.split(": ")[1].split(" ")[3] for _, _, text in replies] == ["no", "our"]
    assert [line.new for line in ConsentRecord.objects.order_by("id")] == ["stop", "unset"]


def test_start_undoes_a_stop_and_not_a_bounce(ada, text_message, replies):
    text_message()
    report(about("bounced", permanent=True))

    report(written("start"))
    catching_up.catch_up()

    assert suppressed() == [("sms", "bounce")] and replies == []


def test_help_is_answered_also_to_who_has_stopped(ada, news, replies):
    report(written("stop", answered=True), written("help"))
    catching_up.catch_up()

    [(_, to, text)] = replies
    assert to == PHONE and "STOP" in text and "/preferences/" in text


def test_what_the_service_answered_itself_is_not_answered_again(news, replies):
    report(written("stop", answered=True))
    catching_up.catch_up()

    assert suppressed() == [("sms", "stop")] and replies == []


def test_an_account_that_is_switched_off_answers_nobody(news, replies):
    ProviderAccount.objects.update(enabled=False)
    accounts.forget()

    report(written("stop"))
    catching_up.catch_up()

    assert suppressed() == [("sms", "stop")] and replies == []


def test_a_short_code_that_asks_to_stop_is_nobodys_number(news, replies):
    report(written("stop", address="72345"))
    catching_up.catch_up()

    assert suppressed() == [] and replies == []
    assert ReceiptRecord.objects.get().result == "unmatched"


def test_a_round_in_which_nothing_is_due_costs_a_look(news, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):  # the clock on PostgreSQL, and what is due
        assert catching_up.catch_up() == 0


def test_no_address_is_left_in_records_or_logs(ada, text_message, replies, caplog):
    caplog.set_level(logging.DEBUG)
    text_message()

    report(about("bounced", permanent=True, address=PHONE), written("stop", address="+49305550"), written("help"))
    catching_up.catch_up()

    assert set(ReceiptRecord.objects.values_list("address", flat=True)) == {""}
    assert PHONE not in caplog.text and "+49305550" not in caplog.text


def test_start_opts_in_again_whose_data_was_erased(ada, news, replies):
    suppressions.suppress([Unwanted("sms", PHONE, Reason.ERASED)], origin=Origin(source="erasure", actor="key:shop"))

    report(written("start"))

    assert suppressed() == []
    assert ConsentRecord.objects.filter(subject="suppression:sms", old="erased", new="unset").exists()
