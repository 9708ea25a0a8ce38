from notifications.admin import account_form
from notifications.models import ProviderAccount
from notifications.providers.twilio import Twilio


def test_senders_that_were_given_as_an_object_are_shown_as_people_write_them(db):
    options = {"account_sid": "AC0", "from": {"DE": "Shop", "*": "+4930123456"}}
    account = ProviderAccount.objects.create(name="texts", provider="twilio", channel="sms", options=options)

    form = account_form.make(Twilio)(instance=account)

    assert form.fields["option_from"].initial == "DE=Shop, *=+4930123456"
    assert form.fields["option_replies"].initial is True
