"""The demo shop: there only with the demo loaded. Everything it sends goes the way every notification goes."""

import ipaddress
import json
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from notifications import acceptance
from notifications.models import Caller
from preferences.models import User
from templates_app.models import Type

ADA = "ada"
# What any proxy or tunnel adds; uvicorn takes X-Forwarded-For in, so REMOTE_ADDR alone says little.
_OF_PROXIES = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "CF-Connecting-IP",
)


@dataclass(frozen=True)
class Product:
    key: str
    name: str
    notes: str
    price: str


@dataclass(frozen=True)
class News:
    """Something else that a shop tells people, by a button."""

    key: str
    type_key: str
    label: str
    icon: str
    title: str
    body: str


PRODUCTS = (
    Product("angelus", "Angelus", "Morning roast. Orange, cocoa, a bright start.", "€ 11"),
    Product("bourdon", "Bourdon", "Dark and slow. Walnut, molasses, low notes.", "€ 12"),
    Product("vesper", "Vesper", "Decaf for late hours. Fig, honey, quiet.", "€ 13"),
)
NEWS = (
    News(
        "shipped", "ORDER_SHIPPED", "Ship the order", "truck", "Your coffee is on its way", "It should ring tomorrow."
    ),
    News("comment", "NEW_COMMENT", "Write a comment", "message-circle", "Bob replied to you", "“Try it with a V60.”"),
    News("offers", "WEEKLY_OFFERS", "Send the weekly offers", "tag", "This week at Campanile", "Vesper, two for one."),
)


@dataclass(frozen=True)
class Demo:
    """What `var/demo.json` says."""

    url: str
    live_key: str


def loaded() -> Demo | None:
    """Return the demo's credentials when the demo is loaded into this installation, else None."""
    try:
        written = json.loads((settings.VAR_DIR / "demo.json").read_text())
        demo = Demo(url=written["url"], live_key=written["live_key"])
    except (OSError, ValueError, KeyError):
        return None
    return demo if ada() is not None else None


def ada() -> User | None:
    return User.objects.filter(user_id=ADA, is_staff=False, is_superuser=False, is_active=True, erased_at=None).first()


def key_for(demo: Demo, request: HttpRequest) -> str:
    """Return the key to print in the curl line: the real one only for who sits at this machine."""
    return demo.live_key if settings.EMBEDDED and _is_from_here(request) else "$LIVE_KEY"


def order(user: User, product: Product) -> None:
    """Confirm an order of the product."""
    number = str(1000 + secrets.randbelow(9000))
    _tell(
        user,
        "ORDER_CONFIRMATION",
        title=f"Order #{number} is confirmed",
        body=f"{product.name} is being roasted for you.",
        variables={"order_id": number, "customer_name": user.get_full_name()},
    )


def tell(user: User, news: News) -> None:
    _tell(user, news.type_key, title=news.title, body=news.body, variables={})


def _tell(user: User, type_key: str, *, title: str, body: str, variables: dict[str, Any]) -> None:
    type_ = Type.objects.get(key=type_key)
    examples = (type_.schema or {}).get("examples") or [{}]
    payload = {
        "title": title,
        "body": body,
        "link": f"{settings.PUBLIC_URL}/",
        "template_variables": examples[0] | variables,
    }
    # The demo's own caller: what the buttons send is then seen by the demo's keys too.
    caller = Caller.objects.filter(key="demo").first()
    request = acceptance.Request(user=user, type=type_, payload=payload, caller_id=caller.pk if caller else None)
    acceptance.accept(request)


def _is_from_here(request: HttpRequest) -> bool:
    """Return whether a browser on this machine asks: a tunnel or proxy connects from here too, for anybody."""
    if any(name in request.headers for name in _OF_PROXIES):
        return False
    host = split_domain_port(request.get_host())[0].strip("[]")
    return _is_loopback(request.META.get("REMOTE_ADDR", "")) and (host == "localhost" or _is_loopback(host))


def _is_loopback(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False
