"""Errors a caller can act on, in the words of RFC 9457 (application/problem+json)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault of a request: where it is (RFC 6901 pointer), a stable code, a sentence."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """An answer other than success. Subclasses fix `status` (HTTP), `code` (stable, documented) and `title`."""

    status: int = 400
    code: str = "bad_request"
    title: str = "The request cannot be carried out."
    extensions: Mapping[str, object] = {}  # members of the answer beyond those that every problem has

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class InvalidRequest(Problem):
    """422 naming every faulty field at once."""

    status, code, title = 422, "invalid_request", "Some fields are not valid."


class NotFound(Problem):
    status, code, title = 404, "not_found", "There is nothing here."


class Conflict(Problem):
    status, code, title = 409, "conflict", "The present state does not allow this."


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "This is not allowed."


class StaffUser(Problem):
    """Staff are changed in the admin by people, never by an API key."""

    status, code, title = 403, "staff_user", "Staff cannot be changed through the API."


class TooLarge(Problem):
    status, code, title = 413, "too_large", "The request is too large."


class Unavailable(Problem):
    """503: nothing was stored; the caller may try again after `Retry-After`."""

    status, code, title = 503, "unavailable", "The service is not available at the moment."

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


def not_available(pointer: str) -> Fault:
    """Return the fault for a field of the contract whose feature this release does not have."""
    return Fault(pointer, "not_available", "This release does not have this feature.")
