"""The web role: API, pages, admin. Its threads live long, so each keeps its database connection for a minute."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from project import collecting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("CONN_MAX_AGE", "60")

application = get_wsgi_application()
_ = get_resolver().url_patterns  # loads every view now, and not while the first caller waits
collecting.keep_what_is_loaded()
