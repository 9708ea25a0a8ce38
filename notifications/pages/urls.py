from django.urls import path

from notifications.pages import archive, confirm_address, login, new_address, start
from preferences.pages import settings_page

urlpatterns = [
    path("", start.start, name="start"),
    path("demo/sign-in/", start.sign_in_as_ada, name="demo_sign_in"),
    path("demo/send/", start.send, name="demo_send"),
    path("login/", login.sign_in_page, name="sign_in"),
    path("login/<str:token>/", login.sign_in_link, name="sign_in_link"),
    path("preferences/history/", archive.show, name="settings_history"),
    path("preferences/<str:token>/history/", archive.show, name="settings_history_by_link"),
    path("confirm/<str:token>/", confirm_address.confirm_address, name="confirm_address"),
    # Not by a link: mails are passed on, and whoever adds an address is told everything from then on.
    path("preferences/addresses/add/", settings_page.section(new_address.add), name="add_address"),
    path("preferences/addresses/confirm/", settings_page.section(new_address.confirm), name="confirm_by_code"),
    path(
        "preferences/<str:token>/addresses/confirm/",
        settings_page.section(new_address.confirm),
        name="confirm_by_code_by_link",
    ),
    path("logout/", login.sign_out, name="sign_out"),
]
