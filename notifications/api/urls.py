from django.urls import path

from notifications.api.broadcasts import ACTS, ActOnBroadcast, BroadcastById, Broadcasts
from notifications.api.bulk import BulkView
from notifications.api.confirmations import Confirmation
from notifications.api.dead_letters import DeadLetters, Replay, ReplayOne
from notifications.api.explain import Explain, ExplainNotification
from notifications.api.inbox import ClickItem, Counts, Inbox, MarkAll, MarkItem, MuteItem, SnoozeItem
from notifications.api.inbox_of_users import UserInbox, UserTokens
from notifications.api.keys import KeyById, Keys, RotateKey
from notifications.api.notifications import Cancel, NotificationById, Notifications
from notifications.api.outbox import Outbox
from notifications.api.provider_accounts import ProviderAccountByName, ProviderAccounts
from notifications.api.send import SendView
from notifications.api.web_push import EndWebPush, WebPushKey, WebPushSubscriptions
from notifications.inbox.marks import MARKS, MARKS_OF_ALL

app_name = "notifications"
urlpatterns = [
    path("notifications/send", SendView.as_view(), name="send"),
    path("notifications/bulk", BulkView.as_view(), name="bulk"),
    path("notifications", Notifications.as_view(), name="notifications"),
    path("notifications/<uuid:id>", NotificationById.as_view(), name="notification"),
    path("notifications/<uuid:id>/cancel", Cancel.as_view(), name="cancel"),
    path("notifications/<uuid:id>/explain", ExplainNotification.as_view(), name="explain_notification"),
    path("explain", Explain.as_view(), name="explain"),
    path("broadcasts", Broadcasts.as_view(), name="broadcasts"),
    path("broadcasts/<uuid:id>", BroadcastById.as_view(), name="broadcast"),
    *[path(f"broadcasts/<uuid:id>/{act}", ActOnBroadcast.as_view(act=act), name=f"{act}_broadcast") for act in ACTS],
    path("inbox", Inbox.as_view(), name="inbox"),
    path("inbox/counts", Counts.as_view(), name="inbox_counts"),
    *[path(f"inbox/{act}-all", MarkAll.as_view(act=act), name=f"inbox_{act}_all") for act in MARKS_OF_ALL],
    path("inbox/<uuid:item_id>/clicked", ClickItem.as_view(), name="inbox_clicked"),
    path("inbox/<uuid:item_id>/snooze", SnoozeItem.as_view(), name="inbox_snooze"),
    path("inbox/<uuid:item_id>/mute", MuteItem.as_view(), name="inbox_mute"),
    *[
        path(f"inbox/<uuid:item_id>/{act}", MarkItem.as_view(act=act), name=f"inbox_{act}")
        for act in MARKS
        if act != "clicked"
    ],
    path(
        "users/<str:user_id>/contact_points/<uuid:id>/confirmation",
        Confirmation.as_view(),
        name="confirm_contact_point",
    ),
    path("users/<str:user_id>/inbox", UserInbox.as_view(), name="user_inbox"),
    path("users/<str:user_id>/tokens", UserTokens.as_view(), name="user_tokens"),
    path("web_push", WebPushKey.as_view(), name="web_push"),
    path("web_push/subscriptions", WebPushSubscriptions.as_view(), name="web_push_subscriptions"),
    path("web_push/subscriptions/end", EndWebPush.as_view(), name="end_web_push"),
    path("keys", Keys.as_view(), name="keys"),
    path("keys/<str:id>", KeyById.as_view(), name="key"),
    path("keys/<str:id>/rotate", RotateKey.as_view(), name="rotate_key"),
    path("provider_accounts", ProviderAccounts.as_view(), name="provider_accounts"),
    path("provider_accounts/<slug:name>", ProviderAccountByName.as_view(), name="provider_account"),
    path("dead_letters", DeadLetters.as_view(), name="dead_letters"),
    path("dead_letters/replay", Replay.as_view(), name="replay_dead_letters"),
    path("dead_letters/<uuid:id>/replay", ReplayOne.as_view(), name="replay_dead_letter"),
    path("outbox", Outbox.as_view(), name="outbox"),
]
