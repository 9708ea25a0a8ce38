"""Ours and theirs beside each other. Theirs stand under /api/ too, so that they run under the same middleware."""

from django.urls import path

from project.urls import handler400, handler403, handler404, handler500
from project.urls import urlpatterns as ours
from tests.benchmarks.plain_drf.views import Empty, Keyed, Plain

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("api/plain/empty", Empty.as_view()),
    path("api/plain/save", Plain.as_view()),
    path("api/plain/keyed", Keyed.as_view()),
    *ours,
]
