from django.urls import path

from preferences.pages import settings_page, unsubscribe

urlpatterns = [
    path("preferences/", settings_page.settings_page, name="settings_page"),
    path("preferences/undo/", settings_page.undo, name="settings_undo"),
    path("preferences/<str:token>/", settings_page.settings_page, name="settings_by_link"),
    path("preferences/<str:token>/undo/", settings_page.undo, name="settings_undo_by_link"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
]
