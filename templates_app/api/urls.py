from django.urls import path

from templates_app.api.previews import SourcePreview, TemplatePreview
from templates_app.api.templates import OneTemplate, Publication, Templates
from templates_app.api.types import OneType, Types

app_name = "templates_app"
urlpatterns = [
    path("templates", Templates.as_view(), name="templates"),
    path("templates/preview", SourcePreview.as_view(), name="preview"),
    path("templates/<str:key>", OneTemplate.as_view(), name="template"),
    path("templates/<str:key>/preview", TemplatePreview.as_view(), name="template_preview"),
    path("templates/<str:key>/publish", Publication.as_view(), name="template_publish"),
    path("types", Types.as_view(), name="types"),
    path("types/<str:key>", OneType.as_view(), name="type"),
]
