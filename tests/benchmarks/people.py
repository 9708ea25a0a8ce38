"""The people of a broadcast and what each of them chose. Under Django, in a database of the benchmark's own."""

from dataclasses import dataclass
from typing import Any

from notifications.models import ProviderAccount
from preferences.models import Category, ContactPoint, Mute, Preference, Topic, TopicSubscription, User
from project.foundation import bulk
from project.foundation.encryption import blind_index
from templates_app import drafts, publishing
from templates_app.models import Template, Type
from tests.benchmarks.peers import news

PAYLOAD: dict[str, Any] = {
    "title": "News",
    "body": "What is new.",
    "link": news.LINK,
    "template_variables": news.VARIABLES,
}
_ROOM = 5000  # rows written at once


@dataclass(frozen=True)
class Given:
    by_mail: Type
    in_app: Type


def make(count: int, *, port: int, connections: int = 4) -> Given:
    """Write the people, their addresses and choices, the mail account, the template and two types of one channel each.

    `connections` are those of the mail account, in each worker process.
    """
    ProviderAccount.objects.create(name="mail", provider="smtp", channel="email", options=options(port, connections))
    category = _category("news", "email")
    for start in range(0, count, _ROOM):
        _write(range(start, min(start + _ROOM, count)), category)
    contents = [
        drafts.ContentDraft("email", "en", {"subject": news.SUBJECT, "text": news.TEXT, "html": news.HTML}),
        drafts.ContentDraft(
            "in_app", "en", {"title": news.SUBJECT, "body": "New at {{ shop }}.", "link": "{{ link }}"}
        ),
    ]
    version, _ = drafts.save("news", contents=contents, actor="bench")
    by_mail, in_app = (
        _type("NEWS", category, version.template),
        _type("BELL", _category("bell", "in_app"), version.template),
    )
    publishing.publish(version.template, actor="bench")
    for type_ in (by_mail, in_app):
        type_.refresh_from_db()
    return Given(by_mail, in_app)


def mail_account() -> ProviderAccount:
    return ProviderAccount.objects.get(name="mail")


def topic(count: int) -> str:
    """Return the key of a topic that the first `count` people have joined."""
    topic, is_new = Topic.objects.get_or_create(key=f"first-{count}", defaults={"name": f"The first {count}"})
    if is_new:
        pks = User.objects.order_by("pk").values_list("pk", flat=True)[:count]
        TopicSubscription.objects.bulk_create((TopicSubscription(topic=topic, user_id=pk) for pk in pks), _ROOM)
    return topic.key


def options(port: int, connections: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "security": "none", "connections": connections, "from": news.SENDER}


def _category(key: str, channel: str) -> Category:
    others = {"email": False, "in_app": False, "push": False, "web_push": False}
    return Category.objects.create(key=key, name=key.title(), default_channels=others | {channel: True})


def _type(key: str, category: Category, template: Template) -> Type:
    schema = {"type": "object", "required": sorted(news.VARIABLES), "examples": [news.VARIABLES]}
    return Type.objects.create(
        key=key, name=key.title(), category=category, template=template, schema=schema, priority="LOW"
    )


def _write(numbers: range, category: Category) -> None:
    people = User.objects.bulk_create(User(user_id=f"p{n}", name=f"Person {n}", locale="en") for n in numbers)
    bulk.insert([_address(user) for user in people])
    by_number = dict(zip(numbers, people, strict=True))
    Preference.objects.bulk_create(choice for n, user in by_number.items() for choice in _choices(n, user, category))
    Mute.objects.bulk_create(Mute(user=user, category=category) for n, user in by_number.items() if n % 50 == 11)


def _address(user: User) -> ContactPoint:
    address = f"{user.user_id}@example.com"
    return ContactPoint(user=user, channel="email", address=address, address_index=blind_index("email", address))


def _choices(number: int, user: User, category: Category) -> list[Preference]:
    if number % 10 == 3:
        return [Preference(user=user, category=category, channel="email", enabled=False)]
    if number % 20 == 7:
        return [Preference(user=user, channel="email", enabled=False)]
    if number % 10 == 5:
        return [Preference(user=user, category=category, channel="email", enabled=True)]
    return []
