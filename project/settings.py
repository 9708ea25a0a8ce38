"""All settings, from the environment; .env.example lists them. Without DATABASE_URL Carillon runs embedded."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from project import env, secrets
from project.admin_look import UNFOLD  # noqa: F401
from project.pipeline import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
EMBEDDED = not env.text("DATABASE_URL", "")
if EMBEDDED:
    secrets.make_own(VAR_DIR)

# --- Keys -------------------------------------------------------------------------------------------------------------
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.items("SECRET_KEY_FALLBACKS")
ENCRYPTION_KEYS = env.keys("ENCRYPTION_KEYS")
BLIND_INDEX_KEYS = env.keys("BLIND_INDEX_KEYS")
DEBUG = False

# --- Where we are -----------------------------------------------------------------------------------------------------
HOST = env.text("HOST", "127.0.0.1")
PORT = int(env.number("PORT", 8000))
PUBLIC_URL = env.text("PUBLIC_URL", f"http://{HOST}:{PORT}").rstrip("/")
_PUBLIC = urlsplit(PUBLIC_URL)
_HTTPS = _PUBLIC.scheme == "https"
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", f"{_PUBLIC.hostname},localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"]
REDIS_URL = env.text("REDIS_URL", "")
# Whose X-Forwarded-For says who asks: how many proxies stand before us, or their networks. Nobody's, unless set.
TRUSTED_PROXIES = env.proxies("TRUSTED_PROXIES")
# Sites of other origins ("https://shop.example.com") whose pages show the inbox component, with tokens.
EMBED_ORIGINS = env.items("EMBED_ORIGINS")
# What every mail says of its sender; marketing mail must carry a postal address (CAN-SPAM, 15 U.S.C. 7704(a)(5)).
SITE_NAME = env.text("SITE_NAME", "Carillon")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"notifications@{_PUBLIC.hostname or 'localhost'}")
POSTAL_ADDRESS = env.text("POSTAL_ADDRESS", "")

# --- What runs --------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "project",  # for its commands
    "project.foundation",
    "preferences",
    "templates_app",
    "notifications",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "project.admin_config.CarillonAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "csp",
]
MIDDLEWARE = [
    "project.errors.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "project.shortcut.ApiShortcut",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "project.content_security.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "preferences.pages.language.PersonLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "project" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
AUTH_USER_MODEL = "preferences.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/preferences/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
WSGI_APPLICATION = "project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # the bulk routes' limit; bodies.py holds all others to 1 MiB

# --- Data -------------------------------------------------------------------------------------------------------------
if EMBEDDED:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR_DIR / "carillon.sqlite3",
            "CONN_MAX_AGE": 0,  # under ASGI each request may have a thread of its own: kept connections would pile up
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: an accepted row survives a power cut; NORMAL may lose the last commits.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000",
            },
        }
    }
else:
    _postgresql: dict[str, Any] = environ.Env.db_url_config(env.text("DATABASE_URL"))
    DATABASES = {
        "default": _postgresql
        | {
            "CONN_MAX_AGE": int(env.number("CONN_MAX_AGE", 0)),  # seconds; wsgi.py keeps them for 60, see there
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"connect_timeout": 5} | _postgresql.get("OPTIONS", {}),
        }
    }
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
# Attributes of people that audiences may be filtered by; they are stored in clear, all others encrypted.
FILTERABLE_ATTRIBUTES = env.items("FILTERABLE_ATTRIBUTES")

# --- The doorbell -----------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.text("BROKER_URL", REDIS_URL or "memory://")
_BROKER = urlsplit(CELERY_BROKER_URL).scheme
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "memory": {"polling_interval": 0.02},  # seconds; kombu's default of 1 s would be a notification's latency
    "redis": {"socket_connect_timeout": 1, "socket_timeout": 5, "socket_keepalive": True, "ack_emulation": False},
    "amqp": {"confirm_publish": True},
}.get(_BROKER, {})
CELERY_BROKER_CONNECTION_TIMEOUT = 1  # seconds
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False  # a lost ring costs one sweep; a retried one would cost the caller
# Rings are taken without acknowledgement: a lost one costs a sweep, while acknowledging one, or giving it back, over a
# connection that has just broken ends the whole worker (kombu 5.7 asks the connection that is gone for its host).
CELERY_TASK_DEFAULT_QUEUE = "carillon"
CELERY_TASK_QUEUES = [Queue(CELERY_TASK_DEFAULT_QUEUE, no_ack=True)]
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are no results to clean up after
CELERY_IMPORTS = ["project.worker"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = _BROKER != "memory"
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10  # seconds
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "plan": {"task": "notifications.wake", "schedule": 60.0, "args": ["plan"]},
    "tidy": {"task": "notifications.tidy", "schedule": 3600.0},
}
CELERY_TIMEZONE = "UTC"
# Celery closes the database connection around each task otherwise; project/worker.py drops the dead ones.
CELERY_DB_REUSE_MAX = 100_000

# --- The API ----------------------------------------------------------------------------------------------------------
IDEMPOTENCY = "notifications.idempotency.answer_once"
USER_ADMIN_SECTION = ("notifications.view_notification", "notifications.admin.recent.of_user")  # for whom, by whom
MUTABLE_TYPES = "templates_app.Type"  # the model whose keys people may mute
LINK_SCHEMES = env.items("LINK_SCHEMES")  # of apps, beside http and https: "myshop"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["notifications.access.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["notifications.access.scopes.HasScopes"],
    "DEFAULT_THROTTLE_CLASSES": ["notifications.access.throttles.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "project.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Carillon",
    "DESCRIPTION": "Tell people things on the channels they chose, and see what became of it.",
    "VERSION": "1",
    "LICENSE": {"name": "MIT"},
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": ["project.openapi.complete"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "displayRequestDuration": True},
}

# --- Pages ------------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "project" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["project.formats"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.text("STATIC_ROOT", "") or None
# With STATIC_ROOT the files come from `collectstatic`, named by their content; without, from where they lie.
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_AUTOREFRESH = STATIC_ROOT is None  # announcing the old length of a changed file would hang browsers
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "project.static_files.HashedFiles"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Security ---------------------------------------------------------------------------------------------------------
if _HTTPS:
    # We speak HTTP behind a proxy that ends TLS: it must set this header and drop the client's own.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # Browsers take a __Host- cookie only over HTTPS and from this very host: no neighbour can plant one.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    LANGUAGE_COOKIE_SECURE = True
# Whether neighbouring host names can be put under HSTS, or on the browsers' list, is for their owner to say.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_SUBDOMAINS", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF, f"{'wss' if _HTTPS else 'ws'}://{_PUBLIC.netloc}"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# Looser where a page of others needs it: Alpine.js in the admin evaluates expressions, Swagger UI styles in place.
CONTENT_SECURITY_POLICY_BY_PATH: dict[str, dict[str, Any]] = {
    "/admin/": {"script-src": [SELF, UNSAFE_EVAL, NONCE], "style-src": [SELF, UNSAFE_INLINE]},
    "/api/docs/": {"style-src": [SELF, UNSAFE_INLINE]},
}

# --- Logs: events and ids, never addresses or texts -------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "project.logs.JSONFormatter"},
        "plain": {"()": "project.logs.PlainFormatter"},
    },
    "filters": {"routes": {"()": "project.logs.RoutesNotPaths"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.text("LOG_FORMAT", "plain" if EMBEDDED else "json"),
            "filters": ["routes"],
        }
    },
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "WARNING" if EMBEDDED else "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},  # a caller's mistakes are the caller's
        "django.server": {"handlers": [], "propagate": True},
        "django.security.DisallowedHost": {"level": "ERROR"},
        "kombu.connection": {"level": "ERROR"},  # it wonders at memory:// having no host
    },
}
