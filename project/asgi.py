"""The live role: websockets. Embedded it serves everything."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

http = get_asgi_application()  # before the import below: it sets Django up

from notifications.inbox.consumer import InboxConsumer  # noqa: E402
from project import collecting  # noqa: E402

application = ProtocolTypeRouter(
    {"http": http, "websocket": URLRouter([path("ws/inbox/", InboxConsumer.as_asgi())])},
)

collecting.keep_what_is_loaded()
