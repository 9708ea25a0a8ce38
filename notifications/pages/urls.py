from django.urls import path

from notifications.pages import archive, login, start

urlpatterns = [
    path("", start.start, name="start"),
    path("demo/sign-in/", start.sign_in_as_ada, name="demo_sign_in"),
    path("demo/send/", start.send, name="demo_send"),
    path("login/", login.sign_in_page, name="sign_in"),
    path("login/<str:token>/", login.sign_in_link, name="sign_in_link"),
    path("preferences/history/", archive.show, name="settings_history"),
    path("preferences/<str:token>/history/", archive.show, name="settings_history_by_link"),
    path("logout/", login.sign_out, name="sign_out"),
]
