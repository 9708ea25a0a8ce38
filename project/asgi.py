"""The live role: websockets. Embedded it serves everything."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

http = get_asgi_application()  # before the import below: it sets Django up

from notifications.inbox import routing  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": routing.application})
