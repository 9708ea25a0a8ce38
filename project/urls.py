from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from notifications.api.receipts import Receipts
from notifications.api.send import SendView
from project import health, openapi, problem_pages

admin.autodiscover()

api: list[URLPattern | URLResolver] = [
    path("", include("notifications.api.urls")),  # the busiest first
    path("schema/", openapi.Schema.as_view(), name="schema"),
    path("", include("preferences.api.urls")),
    path("", include("templates_app.api.urls")),
]
urlpatterns = [
    path("api/v1/", include(api)),
    path("api/notifications/send", SendView.as_view(schema=None), name="send_at_the_old_address"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api_docs"),
    path("receipts/<str:provider>/<str:account>/", Receipts.as_view(schema=None), name="receipts"),
    path("problems/<slug:code>", problem_pages.show, name="problem"),
    path("admin/", admin.site.urls),
    path("livez", health.live),
    path("readyz", health.ready),
    path("", include("notifications.pages.urls")),  # its preferences/history/ before preferences/<token>/
    path("", include("preferences.pages.urls")),
]
handler400 = "project.errors.bad_request"
handler403 = "project.errors.permission_denied"
handler404 = "project.errors.page_not_found"
handler500 = "project.errors.server_error"
