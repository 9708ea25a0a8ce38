from django.urls import path

from notifications.pages import login, start

urlpatterns = [
    path("", start.start, name="start"),
    path("demo/sign-in/", start.sign_in_as_ada, name="demo_sign_in"),
    path("demo/send/", start.send, name="demo_send"),
    path("login/", login.sign_in_page, name="sign_in"),
    path("login/<str:token>/", login.sign_in_link, name="sign_in_link"),
    path("logout/", login.sign_out, name="sign_out"),
]
