"""/users/{user_id}/export: a link to everything that is known of a person."""

from datetime import datetime

from drf_spectacular.utils import extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from preferences import export_links
from preferences.api import people
from project.foundation import bodies
from project.foundation.client_ip import client_ip
from project.foundation.views import ApiView


class ExportAnswer(Struct):
    url: str  # whoever has it can read everything about the person, and nothing else
    expires_at: datetime


class Export(ApiView):
    required_scopes = {"users"}

    @extend_schema(operation_id="export_user", responses={200: bodies.openapi_schema(ExportAnswer)})
    def get(self, request: Request, user_id: str) -> Response:
        """Return a link to everything about one person.

        Getting that link, without a key, answers a JSON file: `{"format": "carillon.person.1", "made_at", "user_id",
        "profile": […], "contact_points": […], …, "complete": true}`, every section a list. The link ends after 24 hours
        unless the installation says otherwise, when the person's links are revoked and when they are erased. The audit
        trail has a line for the link and for each use of it. Staff: 403 `staff_user`.
        """
        user = people.find_changeable(user_id)
        link = export_links.make(user, actor=people.actor(request), ip=client_ip(request))
        return Response(ExportAnswer(link.url, link.expires_at))
