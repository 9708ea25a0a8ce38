"""Settings of the pipeline: which providers there are, when to try again, how much to take at once."""

from project import env

# By their keys; each is loaded when an account uses it.
NOTIFICATION_PROVIDERS = {
    "apprise": "notifications.providers.apprise.Apprise",
    "outbox": "notifications.providers.outbox.Outbox",
    "anymail": "notifications.providers.anymail.Anymail",
    "apns": "notifications.providers.apns.APNs",
    "fcm": "notifications.providers.fcm.FCM",
    "smtp": "notifications.providers.smtp.SMTP",
    "sns": "notifications.providers.sns.SNS",
    "twilio": "notifications.providers.twilio.Twilio",
    "twilio_voice": "notifications.providers.twilio_voice.TwilioVoice",
    "vonage": "notifications.providers.vonage.Vonage",
    "web_push": "notifications.providers.web_push.WebPush",
    "webhook": "notifications.providers.webhook.Webhook",
}
RETRY_SCHEDULE = env.durations("RETRY_SCHEDULE", "0s,5s,30s,2m,5m,10m,30m,1h")  # one wait per attempt, with the first
# Of webhooks, the schedule of the Standard Webhooks specification: 10 attempts in 75 hours.
WEBHOOK_RETRY_SCHEDULE = env.durations("WEBHOOK_RETRY_SCHEDULE", "0s,5s,5m,30m,2h,5h,10h,14h,20h,24h")
WEBHOOK_DISABLE_AFTER = env.duration("WEBHOOK_DISABLE_AFTER", "5d")  # of failures and nothing else
LEASE_SECONDS = env.number("LEASE_SECONDS", 60)
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 5)
PROVIDER_TIMEOUT_SECONDS = env.number("PROVIDER_TIMEOUT_SECONDS", 10)  # in total, connecting included
WEBHOOK_TIMEOUT_SECONDS = env.number("WEBHOOK_TIMEOUT_SECONDS", 1.5 * PROVIDER_TIMEOUT_SECONDS)  # of each webhook
# What waits for somebody's quiet hours to end goes within so long after them, so that 07:00 is no stampede.
QUIET_HOURS_JITTER = env.duration("QUIET_HOURS_JITTER", "10m")
DIGEST_AT = env.text("DIGEST_AT", "09:00")  # local time of the daily digest, of those who chose none
IDEMPOTENCY_TTL = env.duration("IDEMPOTENCY_TTL", "24h")
NOTIFICATION_ID_TTL = env.duration("NOTIFICATION_ID_TTL", "400d")
# How many days each table keeps what it holds, once it is over; 0: for ever. See notifications.retention.
PAYLOAD_DAYS = env.number("PAYLOAD_DAYS", 90)  # what was said, metadata, and what was read of the person for it
HISTORY_DAYS = env.number("HISTORY_DAYS", 400)  # notifications with all that came of them, by whole months
INBOX_DAYS = env.number("INBOX_DAYS", 400)
AUDIENCE_DAYS = env.number("AUDIENCE_DAYS", 30)  # who the people of a broadcast were
LINK_DAYS = env.number("LINK_DAYS", 30)  # links to settings that expired or were revoked
AUDIT_DAYS = env.number("AUDIT_DAYS", 730)  # what staff and services did
ERASED_LEDGER_DAYS = env.number("ERASED_LEDGER_DAYS", 0)  # the ledger of who was erased; all other of it stays
OUTBOX_DAYS = env.number("OUTBOX_DAYS", 7)
ATTACHMENT_DAYS = env.number("ATTACHMENT_DAYS", 30)  # how long contents are kept, so that a dead letter can go out
RECEIPT_DAYS = env.number("RECEIPT_DAYS", 90)  # how long a provider's report is known when it comes again
RECEIPT_BODY_DAYS = env.number("RECEIPT_BODY_DAYS", 30)  # … and the request that it came in, as it was
# What everything about a person is told by, and how long a link to it lives.
EXPORT_SECTIONS: list[str] = ["preferences.export_sections.SECTIONS", "notifications.export.SECTIONS"]
EXPORT_LINK_LIFE = env.duration("EXPORT_LINK_LIFE", "24h")
# What is done to erase a person, in this order and in one transaction: see preferences.erasure.
ERASURE_STEPS = ["notifications.erasure.erase", "templates_app.erasure.erase", "preferences.forgetting.erase"]
# Files of people and of suppressions: how large, how long one is kept that nobody imports, how long its report.
IMPORT_MAX_BYTES = int(env.number("IMPORT_MAX_MEGABYTES", 500) * 10**6)
IMPORT_FILE_LIFE = env.duration("IMPORT_FILE_LIFE", "24h")
IMPORT_DAYS = env.number("IMPORT_DAYS", 30)
DOORBELLS = env.flag("DOORBELLS", True)  # without, workers find what is due by their sweep alone
CLAIM_SIZE = int(env.number("CLAIM_SIZE", 500))  # rows a worker takes at once
BROADCAST_LOOK_AHEAD = int(env.number("BROADCAST_LOOK_AHEAD", 4000))  # messages of one broadcast that may wait at once
FLUSH_SIZE = int(env.number("FLUSH_SIZE", 100))  # deliveries whose outcome may be in doubt when a worker dies
# Variables that an account's options may name as env:NAME: those that begin so, and others by name.
CREDENTIAL_ENV_PREFIX = env.text("CREDENTIAL_ENV_PREFIX", "CARILLON_CREDENTIAL_")
CREDENTIAL_ENV_NAMES = env.items("CREDENTIAL_ENV_NAMES")
# Networks that webhooks, chats and files of callers may lie in though they are not public; http and any port too.
EGRESS_ALLOW = env.networks("EGRESS_ALLOW")
