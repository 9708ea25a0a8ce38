"""POST /receipts/{provider}/{account}/: what services report of messages, and what people answer to them."""

import logging
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import accounts
from notifications.models import ProviderAccount
from notifications.providers.callbacks import Callback, NotGenuine
from notifications.providers.options import BadOptions
from notifications.receipts import ledger
from notifications.receipts.replays import Replayed
from project.foundation import audit, bodies, clock, ids
from project.foundation.models import AuditEvent
from project.foundation.problems import Forbidden, NotFound, Problem, Unavailable
from project.foundation.views import JSON, OnlyJSON

logger = logging.getLogger(__name__)

_AUDIT_LINES_A_MINUTE = 30  # an account's: whoever forges a thousand requests shall not fill the trail


class Receipts(APIView):
    """Open to everybody: a request proves itself by its service's signature, or changes nothing."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []
    renderer_classes = [JSON]
    content_negotiation_class = OnlyJSON

    def get_authenticate_header(self, request: Request) -> str:
        return "Signature"  # of the service; without a name for it REST framework makes every 401 a 403

    def post(self, request: Request, provider: str, account: str) -> Response:
        """Act on what a service reports: 204 once it is committed, 401 or 403 when it proves nothing."""
        row = _account(provider, account)
        callback = _callback(request._request)
        try:
            found = accounts.read(row, callback)
        except NotGenuine as error:
            _note_refusal(row, str(error))
            raise NotAuthenticated(str(error)) if error.unsigned else Forbidden(str(error)) from None
        except ValueError as error:
            logger.warning("receipts.unreadable", extra={"account": row.name, "error": type(error).__name__})
            raise Problem("The request cannot be read.") from error
        except (BadOptions, TimeoutError) as error:
            logger.error("receipts.cannot_verify", extra={"account": row.name, "error": type(error).__name__})
            raise Unavailable("The request cannot be verified at the moment.") from error
        try:
            ledger.take_in(row, callback, found, once=accounts.once(row, callback))
        except Replayed as error:
            _note_refusal(row, str(error))
            raise Forbidden(str(error)) from None
        return Response(status=204)


def _account(provider: str, name: str) -> ProviderAccount:
    known = accounts.provider_classes().get(provider)
    row = ProviderAccount.objects.filter(name=name, provider=provider).first() if known and known.reports else None
    if row is None:
        raise NotFound("No such account takes receipts.")
    return row


def _callback(request: HttpRequest) -> Callback:
    return Callback(
        # As the service knows it, whatever the proxy before us made of host, scheme and port.
        url=settings.PUBLIC_URL + request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=bodies.raw(request),
    )


def _note_refusal(row: ProviderAccount, why: str) -> None:
    logger.warning("receipts.refused", extra={"account": row.name, "why": why})
    target = f"provider_account:{row.name}"
    lately = ids.first_id_at(clock.now() - timedelta(minutes=1))
    if (
        AuditEvent.objects.filter(target=target, action="receipt.refused", id__gte=lately).count()
        < _AUDIT_LINES_A_MINUTE
    ):
        audit.record("system", "receipt.refused", target, why=why)
