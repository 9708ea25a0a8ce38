"""What is particular about text messages and calls on their way through the pipeline."""

import pytest

from notifications import delivery, planning
from notifications.models import Delivery, ProviderAccount
from notifications.providers.base import Outcome
from preferences.models import ConsentRecord, ContactPoint, Suppression
from project.foundation.encryption import blind_index
from tests.notifications.given import accepted
from tests.notifications.troubled import account

pytestmark = pytest.mark.django_db
TWILIO = {"account_sid": "AC0", "auth_token": "t", "from": "+4930999999"}


def tell(user, type_, channel):
    accepted(user, type_, channels_preferred=[channel])
    planning.plan_due()
    while delivery.deliver_due(channel):
        continue
    return Delivery.objects.filter(channel=channel).latest("id").status


def test_a_number_whose_owner_told_the_provider_to_stop_is_used_no_more(ada, order_confirmation, providers):
    account("texts", provider="twilio", channel="sms", options=TWILIO)
    providers.answers["texts"] = Outcome.recipient("Twilio answered 400: error 21610", dead_address="stop")

    assert tell(ada, order_confirmation, "sms") == "failed"
    assert tell(ada, order_confirmation, "sms") == "skipped"

    assert providers.sent("texts") == 1
    assert Suppression.objects.get().reason == "stop"
    assert ConsentRecord.objects.get().subject == "suppression:sms"
    assert ada.contact_points.get(channel="sms").disabled_at is None


@pytest.mark.parametrize(("channel", "status"), [("voice", "unknown"), ("sms", "queued")])
def test_a_call_that_may_have_been_made_is_not_made_again(ada, order_confirmation, providers, channel, status):
    ContactPoint.objects.create(
        user=ada, channel="voice", address="+493012", address_index=blind_index("voice", "+493012")
    )
    provider = "twilio_voice" if channel == "voice" else "twilio"
    ProviderAccount.objects.create(name="calls", provider=provider, channel=channel, options=TWILIO)
    providers.answers["calls"] = Outcome.unknown("Twilio did not answer in time.")
    assert order_confirmation.category.unknown_outcome == "resend"

    assert tell(ada, order_confirmation, channel) == status
