"""A plain Django project around the peers, with PostgreSQL and a mail server as Carillon has them."""

import os

from django.db.models import options
from psycopg.conninfo import conninfo_to_dict

# django-notifications-hq 1.8.3, its last release, names an option that Django 5.1 removed: without this shim it cannot
# even be imported. The index it asks for is lost, which makes its writing cheaper, not dearer.
options.DEFAULT_NAMES = (*options.DEFAULT_NAMES, "index_together")

_DATABASE = conninfo_to_dict(os.environ["PEERS_DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _DATABASE["dbname"],
        "USER": _DATABASE.get("user"),
        "PASSWORD": _DATABASE.get("password"),
        "HOST": _DATABASE.get("host"),
        "PORT": _DATABASE.get("port"),
        "CONN_MAX_AGE": None,
    }
}
SECRET_KEY = "for this measurement alone"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "post_office",
    "notifications",  # django-notifications-hq
    "peers",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("PEERS_MAIL_PORT", 25))
POST_OFFICE = {"BATCH_SIZE": 500}  # its default of 100 starts two processes for every hundred mails, and is slower
LOGGING_CONFIG = None
