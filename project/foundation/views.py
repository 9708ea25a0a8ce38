"""What every API view stands on."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from project.foundation import faults
from project.foundation.problems import Fault, InvalidRequest, NotFound

Handler = Callable[..., Response]


class JSON(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else msgspec.json.encode(data, enc_hook=str)


class OnlyJSON(BaseContentNegotiation):
    """Answers are JSON, whatever Accept says: a caller that asks for something odd still understands its error."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """A view of the API. `required_scopes` names what a key needs: a set, or {"GET": {…}, "POST": {…}}.

    A POST with an Idempotency-Key goes through settings.IDEMPOTENCY, which answers it at most once.
    """

    required_scopes: set[str] | Mapping[str, set[str]]
    renderer_classes = [JSON]
    content_negotiation_class = OnlyJSON

    def answered_shortly(self, request: HttpRequest) -> HttpResponseBase | None:
        """Return the whole answer without REST framework's machinery, or None: then that machinery judges the request.

        For routes that are asked very often. It may store nothing when it returns None; what it raises is answered as
        what any view raises.
        """
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        failed: Exception | None = None
        try:
            if (answer := self.answered_shortly(request)) is not None:
                return answer
        except Exception as error:
            failed = error
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            if failed is not None:
                raise failed
            self.initial(self.request, *args, **kwargs)
            response = self._handle(self.request)
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        self.response.setdefault("Cache-Control", "no-store")  # it is about people, or for one key alone
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # PostgreSQL stores no NUL, so nothing can be called that.
        if any("\0" in str(value) for value in kwargs.values()):
            raise NotFound
        found = [name for name, value in request.query_params.items() if "\0" in f"{name}{value}"]
        if found:
            message = "It holds a NUL character."
            raise InvalidRequest(errors=[Fault(faults.join("", name), "invalid_string", message) for name in found])

    def _handle(self, request: Request) -> Response:
        method = (request.method or "").lower()
        known = method in self.http_method_names
        handler: Handler = (
            getattr(self, method, self.http_method_not_allowed) if known else self.http_method_not_allowed
        )
        if method != "post" or "Idempotency-Key" not in request.headers:
            return handler(request, *self.args, **self.kwargs)
        answer_once: Callable[[Request, Callable[[], Response]], Response] = import_string(settings.IDEMPOTENCY)
        return answer_once(request, lambda: handler(request, *self.args, **self.kwargs))
