"""The admin in our colours: settings of django-unfold. The numbers are those of static/carillon/css/tokens.css."""

from typing import Any

from django.templatetags.static import static


def _file(path: str) -> Any:
    return lambda request: static(path)


_INK = {
    "50": "#fbfaf8",
    "100": "#f3f2ee",
    "200": "#e3e6e1",
    "300": "#c9d1cc",
    "400": "#a1aea9",
    "500": "#6b7a75",
    "600": "#4b5a56",
    "700": "#35423e",
    "800": "#2a3431",
    "900": "#171e1c",
    "950": "#101514",
}
_VERDIGRIS = {
    "50": "#effaf8",
    "100": "#d5f2ee",
    "200": "#aee4dd",
    "300": "#7bd3c8",
    "400": "#46bbad",
    "500": "#2aa596",
    "600": "#0f766e",
    "700": "#0b5f58",
    "800": "#0c4d48",
    "900": "#0b3f3b",
    "950": "#06211e",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Carillon",
    "SITE_HEADER": "Carillon",
    "SITE_URL": "/",
    "SITE_ICON": {"light": _file("carillon/icons/mark.svg"), "dark": _file("carillon/icons/mark.svg")},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("carillon/icons/favicon.svg")}],
    "STYLES": [_file("carillon/css/admin.css")],
    "COLORS": {
        "base": _INK,
        "primary": _VERDIGRIS,
        "font": {
            "subtle-light": "#5f6e69",
            "subtle-dark": "#8f9e99",
            "default-light": "#4b5a56",
            "default-dark": "#a9b8b3",
            "important-light": "#1b2422",
            "important-dark": "#e8efec",
        },
    },
    "BORDER_RADIUS": "8px",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "notifications.admin.dashboard.context",
    "GLOBAL_CALLBACK": "notifications.admin.banner.context",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "project.admin_site.navigation"},
}
