from notifications.admin import account_form
from notifications.models import ProviderAccount
from notifications.providers.twilio import Twilio


def test_senders_that_were_given_as_an_object_are_shown_as_people_write_them(db):
    options = {"account_sid": "AC0", "from": {"DE": "Shop", "*": "+4930123456"}}
    account = ProviderAccount.objects.create(name="texts", provider="twilio", channel="sms", options=options)

    form = account_form.make(Twilio)(instance=account)

    assert form.fields["option_from"].initial == "DE=Shop, *=+4930123456"
    assert form.fields["option_replies"].initial is True


def test_the_page_of_an_account_says_where_its_service_reports(admin_client):
    for name, provider, channel in [("texts", "twilio", "sms"), ("mails", "smtp", "email")]:
        ProviderAccount.objects.create(name=name, provider=provider, channel=channel)

    def page(name):
        pk = ProviderAccount.objects.get(name=name).pk
        return admin_client.get(f"/admin/notifications/provideraccount/{pk}/change/").content.decode()

    assert "http://127.0.0.1:8000/receipts/twilio/texts/" in page("texts")
    assert "/receipts/" not in page("mails")
