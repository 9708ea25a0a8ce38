from django.urls import path

from preferences.pages import digest, export, pause, quiet, reachable_at, settings_page, spoken, unsubscribe

_SECTIONS = {
    "pause": settings_page.section(pause.change),
    "quiet-hours": settings_page.section(quiet.change),
    "digest": settings_page.section(digest.change),
    "addresses": settings_page.section(reachable_at.change),
    "language": settings_page.section(spoken.change),
}

urlpatterns = [
    path("preferences/", settings_page.settings_page, name="settings_page"),
    path("preferences/undo/", settings_page.undo, name="settings_undo"),
    path("preferences/export/", export.own, name="export_own"),
    *[path(f"preferences/{name}/", view, name=f"settings_{name}") for name, view in _SECTIONS.items()],
    path("preferences/<str:token>/", settings_page.settings_page, name="settings_by_link"),
    path("preferences/<str:token>/undo/", settings_page.undo, name="settings_undo_by_link"),
    *[
        path(f"preferences/<str:token>/{name}/", view, name=f"settings_{name}_by_link")
        for name, view in _SECTIONS.items()
    ],
    path("export/<str:token>/", export.by_link, name="export_by_link"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
]
