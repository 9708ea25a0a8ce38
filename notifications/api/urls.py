from django.urls import path

from notifications.api.outbox import Outbox
from notifications.api.provider_accounts import ProviderAccountByName, ProviderAccounts

app_name = "notifications"
urlpatterns = [
    path("provider_accounts", ProviderAccounts.as_view(), name="provider_accounts"),
    path("provider_accounts/<slug:name>", ProviderAccountByName.as_view(), name="provider_account"),
    path("outbox", Outbox.as_view(), name="outbox"),
]
