"""The services of Apprise that messages may go to: those that speak HTTP and touch nothing of this machine.

Left out are those that reach what is local or open connections of their own (desktop, D-Bus, syslog, sockets, mail,
MQTT, XMPP, SMPP, IRC) and those that read files which their URL names (FCM, VAPID).
"""

_NAMES = """
    46elks atalk azure bark barks betterstack bluesky brevo bsky bulksms bulkvs burstsms chanify clickatell clicksend
    cliq cm d7sms dapnet dingtalk discord dot elks emby embys enigma2 enigma2s evolution evolutions exotel feishu
    firehydrant flock flowtriq flowtriqs fluxer fluxers freemobile gchat github goalert goalerts gorush gorushs gotify
    gotifys groundmail groupme guilded gupshup hassio hassios httpsms humhub humhubs ifttt ilert incidentio infobip
    jellyfin jellyfins jira join json jsons kakao kakaotalk kaleyra kavenegar klr kodi kodis kook kudosity kumulos
    lametric lametrics lark lauther lfg line mailersend mastodon mastodons matrix matrixs misskey misskeys mmost mmosts
    mobilemessage mobilemsg msg91 msgbird nctalk nctalks nexmo notica noticas notifiarr notifico notificos notifyre ntfy
    ntfys o365 octopush onesignal opsgenie pagerduty pagertree parsep parseps pbul pinglet pinglets pingram pjet pjets
    plivo postmark pover prowl psafer psafers push pushdeer pushdeers pushed pushme pushplus pushward pushy qq reddit
    resend revolt rocket rockets ryver schan sendgrid sendpulse seven sfr signal signalgrid signals signl4 simplepush
    sinch slack smseagle smseagles smsmanager smsmgr smstunnel smtp2go sparkpost spike splunk spugpush spush squadcast
    stackfield strmlabs synology synologys telesign telnyx tgram threema toot toots trigv trigvs twilio twist viber
    victorops voipms vonage webex wechat wecom wecombot whapi whatsapp workflow workflows wpush wxpusher wxteams xbmc
    xbmcs xmatters xml xmls youlmk zalo zcliq zohocliq zoom zulip
"""
ALLOWED = frozenset(_NAMES.split())


def allows(address: str) -> bool:
    """Whether an Apprise URL names one of these services."""
    return address.partition("://")[0].lower() in ALLOWED
