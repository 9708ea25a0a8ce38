from django.urls import path

from preferences.pages import settings_page

urlpatterns = [
    path("preferences/", settings_page.settings_page, name="settings_page"),
    path("preferences/undo/", settings_page.undo, name="settings_undo"),
]
