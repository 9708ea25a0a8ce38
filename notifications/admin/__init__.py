from django.contrib import admin

from notifications.admin.audit import AuditAdmin
from notifications.admin.broadcasts import BroadcastAdmin
from notifications.admin.dead_letters import DeadLetterAdmin, UnknownDeliveryAdmin
from notifications.admin.inbox import InboxItemAdmin
from notifications.admin.keys import ApiKeyAdmin, CallerAdmin
from notifications.admin.notifications import NotificationAdmin
from notifications.admin.outbox import OutboxAdmin
from notifications.admin.provider_accounts import ProviderAccountAdmin
from notifications.models import (
    ApiKey,
    Broadcast,
    Caller,
    DeadLetter,
    InboxItem,
    Notification,
    OutboxMessage,
    ProviderAccount,
    UnknownDelivery,
)
from project.foundation.models import AuditEvent

admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(AuditEvent, AuditAdmin)
admin.site.register(Broadcast, BroadcastAdmin)
admin.site.register(Caller, CallerAdmin)
admin.site.register(DeadLetter, DeadLetterAdmin)
admin.site.register(UnknownDelivery, UnknownDeliveryAdmin)
admin.site.register(InboxItem, InboxItemAdmin)
admin.site.register(Notification, NotificationAdmin)
admin.site.register(OutboxMessage, OutboxAdmin)
admin.site.register(ProviderAccount, ProviderAccountAdmin)
