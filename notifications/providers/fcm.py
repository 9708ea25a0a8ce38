"""Push through Firebase Cloud Messaging, HTTP v1.

Sources: Firebase's reference of `projects.messages.send` with its ErrorCode; Google's "Using OAuth 2.0 for server to
server applications" for the access token (RFC 7523).
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jwt

from notifications.providers import push
from notifications.providers.base import Message, Outcome, OutcomeKind
from notifications.providers.http import Answer, HTTPProvider, NoAnswer, base_url, outcome
from notifications.providers.options import needed_secret

_MOST_BYTES = 3800  # of the 4,096 that FCM takes; what it adds itself is not ours to count
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN_URI = "https://oauth2.googleapis.com/token"
_RENEW_SECONDS = 300  # before a token ends
_NEEDED = ("project_id", "client_email", "private_key")
# Of `error.details[].errorCode`. What is not here goes by the HTTP status.
_BY_CODE: Mapping[str, OutcomeKind] = {
    "UNREGISTERED": "recipient",
    "SENDER_ID_MISMATCH": "recipient",  # the token was made for another project
    "INVALID_ARGUMENT": "recipient",
    "QUOTA_EXCEEDED": "throttled",
    "UNAVAILABLE": "transient",
    "INTERNAL": "transient",
    "THIRD_PARTY_AUTH_ERROR": "account",  # the project's own key for Apple or for browsers
}
_DEAD = {"UNREGISTERED": "unregistered", "SENDER_ID_MISMATCH": "another_project"}


def check_service_account(text: str) -> None:
    """Raise ValueError unless this is the JSON file of a service account, with its key."""
    try:
        found = json.loads(text)
        missing = [name for name in _NEEDED if not isinstance(found.get(name), str) or not found[name]]
    except (ValueError, AttributeError):
        raise ValueError("Paste the service account's JSON file as Google gave it.") from None
    if missing:
        raise ValueError(f"The service account's JSON lacks {', '.join(missing)}.")


@dataclass(frozen=True, kw_only=True)
class FCMOptions:
    service_account: str = needed_secret(check_service_account, lines=True)  # the JSON file, as text
    base_url: str = base_url("https://fcm.googleapis.com")


class FCM(HTTPProvider):
    key = "fcm"
    channels = ("push",)
    service = "FCM"
    meanings: ClassVar[Mapping[int, OutcomeKind]] = {404: "recipient"}
    Options = FCMOptions
    options: FCMOptions

    def __init__(self, options: FCMOptions, *, timeout: float) -> None:
        super().__init__(options, timeout=timeout)
        self._account: dict[str, Any] = json.loads(options.service_account)
        self._token, self._token_ends = "", 0.0
        self._asking = asyncio.Lock()

    async def send_one(self, message: Message, deadline: float) -> Outcome:
        try:
            body = {"message": _message(message)}
        except push.DoesNotFit as error:
            return Outcome.recipient(str(error))
        url = f"{self.options.base_url}/v1/projects/{self._account['project_id']}/messages:send"
        answer = await self._post(url, body, deadline)
        if answer.status == 401 and _code(answer) != "THIRD_PARTY_AUTH_ERROR":
            answer = await self._post(url, body, deadline)  # the token was taken back before its time
        return self._outcome(answer)

    async def _post(self, url: str, body: Any, deadline: float) -> Answer:
        token = await self._access_token(deadline)
        answer = await self.ask("POST", url, deadline=deadline, headers={"Authorization": f"Bearer {token}"}, body=body)
        if answer.status == 401:
            self._forget(token)
        return answer

    async def _access_token(self, deadline: float) -> str:
        """Return a token that is good for a while yet, asking for one at most once at a time. Raises NoAnswer."""
        async with self._asking:
            if time.monotonic() > self._token_ends - _RENEW_SECONDS:
                answer = await self.ask(
                    "POST",
                    self._account.get("token_uri") or _TOKEN_URI,
                    deadline=deadline,
                    form={"grant_type": _GRANT, "assertion": self._assertion()},
                    hands_over=False,
                )
                if not answer.ok:
                    kind: OutcomeKind = "account" if answer.status in (400, 401, 403) else "transient"
                    words = f"Google gave no access token: it answered {answer.status}."
                    raise NoAnswer(outcome(kind, words, retry_after=answer.retry_after))
                said = answer.json()
                self._token = str(said.get("access_token", ""))
                self._token_ends = time.monotonic() + float(said.get("expires_in", 3600))
            return self._token

    def _forget(self, token: str) -> None:
        if token == self._token:
            self._token_ends = 0.0

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._account["client_email"],
            "scope": _SCOPE,
            "aud": self._account.get("token_uri") or _TOKEN_URI,
            "iat": now,
            "exp": now + 3600,
        }
        headers = {"kid": self._account["private_key_id"]} if self._account.get("private_key_id") else None
        try:
            return jwt.encode(claims, self._account["private_key"], algorithm="RS256", headers=headers)
        except Exception:  # whatever the library says of a key that is none
            raise NoAnswer(Outcome.account("The service account's private key cannot be used.")) from None

    def _outcome(self, answer: Answer) -> Outcome:
        if answer.ok:
            return Outcome.accepted(str(answer.json().get("name", ""))[:255])
        code = _code(answer)
        words = f"FCM answered {answer.status}{f': {code}' if code else '.'}"
        if code in _DEAD:
            return Outcome.recipient(words, dead_address=_DEAD[code])
        if code == "INVALID_ARGUMENT" and _is_about_the_token(answer):
            return Outcome.recipient(words, dead_address="invalid_token")
        kind = _BY_CODE.get(code)
        return outcome(kind, words, retry_after=answer.retry_after) if kind else self.outcome_of(answer, error=code)


def _message(message: Message) -> dict[str, Any]:
    about, urgent = message.about, push.is_urgent(message)
    given = push.data(message)
    title, body = push.words(message, most_bytes=_MOST_BYTES, around=given)
    seen_once = str(message.delivery_id)  # a repeat takes the place of the first on the screen
    aps: dict[str, Any] = {"sound": "default"} | ({} if about.badge is None else {"badge": about.badge})
    return {
        "token": message.to,
        "notification": {"title": title, "body": body},
        "data": given,
        "android": {
            "priority": "HIGH" if urgent else "NORMAL",
            "ttl": f"{push.seconds_left(message)}s",
            "notification": {"tag": seen_once},
        },
        "apns": {
            "headers": {"apns-collapse-id": seen_once, "apns-priority": "10" if urgent else "5"},
            "payload": {"aps": aps},
        },
    }


def _details(answer: Answer) -> list[dict[str, Any]]:
    error = answer.json().get("error")
    details = error.get("details") if isinstance(error, dict) else None
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []


def _code(answer: Answer) -> str:
    """Return FCM's own error code, else the status that all of Google's services give; "" for neither."""
    for detail in _details(answer):
        if isinstance(code := detail.get("errorCode"), str) and code.replace("_", "").isalpha():
            return code[:60]
    error = answer.json().get("error")
    status = error.get("status") if isinstance(error, dict) else ""
    return status[:60] if isinstance(status, str) and status.replace("_", "").isalpha() else ""


def _is_about_the_token(answer: Answer) -> bool:
    violations = (each for detail in _details(answer) for each in detail.get("fieldViolations") or ())
    return any(isinstance(each, dict) and each.get("field") == "message.token" for each in violations)
