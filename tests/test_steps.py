"""What one message costs in instructions of Python, held where it is: seconds depend on the machine, these do not.

Each bound is what was counted when it was written plus a quarter. Who makes a path dearer on purpose raises its bound,
and says in the commit what it bought.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from notifications import mail
from notifications.models import Attempt
from notifications.providers.base import Message
from preferences import loading_at_once
from preferences.decisions import CategoryFacts, ContactPointFacts, Facts, Person, decide_each
from preferences.models import ContactPoint, User
from project.foundation import bulk, columns, ids, statements
from templates_app import rendering
from tests import steps
from tests.benchmarks.peers import news

MOST = {
    "rendering": 2900,
    "one more of the same": 780,
    "mail": 880,
    "decision": 360,
    "derived id": 265,
    "person": 425,
    "row": 100,
}
ADA = {"name": "Ada Lovelace", "first_name": "Ada", "user_id": "ada", "email": "ada@example.com", "locale": "en"}
VARIABLES = news.VARIABLES | {
    "title": "News",
    "body": "What is new.",
    "link": news.LINK,
    "type": "NEWS",
    "user": ADA,
    "category": {"key": "news", "name": "News"},
    "unsubscribe_url": "https://example.com/u",
}


@pytest.fixture
def contents() -> rendering.VersionContents:
    parts = {"subject": news.SUBJECT, "text": news.TEXT, "html": news.HTML}
    return rendering.of_drafts([("email", "en", parts)])


def test_rendering_a_mail_for_one_more_person_costs_no_more_than_it_did(contents: rendering.VersionContents) -> None:
    def render() -> rendering.Rendered:
        return rendering.render(contents, channel="email", locale="en", timezone="", variables=VARIABLES)

    assert "Ada Lovelace" in render().parts["html"]
    assert _settled(render) <= MOST["rendering"]


def test_telling_one_more_of_the_same_news_costs_what_is_their_own(contents: rendering.VersionContents) -> None:
    given = {name: value for name, value in VARIABLES.items() if name not in ("user", "unsubscribe_url")}
    occasion = rendering.Occasion(contents, given)

    def render() -> rendering.Rendered:
        personal = {"user": ADA, "unsubscribe_url": "https://example.com/u"}
        return occasion.render("email", locale="en", timezone="", personal=personal)

    assert "Ada Lovelace" in render().parts["html"]
    assert _settled(render) <= MOST["one more of the same"]


def test_building_one_more_mail_costs_no_more_than_it_did() -> None:
    parts = {"subject": "Ada, three things are new", "text": "Hello.\n" * 20, "html": "<p>Hello.</p>" * 50}

    def build() -> mail.Mail:
        return mail.build(Message(UUID(int=1), "email", "ada@example.com", parts), sender=news.SENDER)

    assert b"Hello." in build().content
    assert _settled(build) <= MOST["mail"]


def test_one_more_decision_costs_no_more_than_it_did() -> None:
    point = ContactPointFacts(UUID(int=1), "email", "ada@example.com")
    ada = Person(1, "ada", choices={("news", "sms"): False}, contact_points=(point,))
    facts = Facts(ada, CategoryFacts("news", "News", defaults={"email": True}), datetime.now(tz=UTC))

    assert [verdict.allowed for _, verdict in decide_each(facts, "email")] == [True]
    assert _settled(lambda: decide_each(facts, "email")) <= MOST["decision"]


def test_reading_one_more_person_costs_no_more_than_it_did() -> None:
    name, attributes = _sealed(User, "name", "Ada Lovelace"), _sealed(User, "attributes", {})
    address, id = _sealed(ContactPoint, "address", "ada@example.com"), UUID(int=1).bytes
    rows = [
        (1, 0, None, 0, "ada", "en", "", name, attributes, False, None, None, None),
        (1, 1, id, 0, "email", "", None, address, None, True, False, None, None),
    ]
    read = loading_at_once.reader()

    point = ContactPointFacts(UUID(int=1), "email", "ada@example.com")
    assert read(rows) == Person(1, "ada", "Ada Lovelace", "en", contact_points=(point,))
    assert _settled(lambda: read(rows)) <= MOST["person"]


def test_one_more_derived_id_costs_no_more_than_it_did() -> None:
    origin = ids.new_id()

    assert _settled(lambda: ids.derived_id(origin, 0, "email", UUID(int=1))) <= MOST["derived id"]


def test_writing_one_more_row_costs_no_more_than_it_did() -> None:
    """An attempt: three ids or hashes of its own and what is sealed, among ten columns."""
    first, own = Attempt(number=1, started_at=datetime.now(tz=UTC)), {"name": "Ada Lovelace", "user_id": "ada"}
    rows = [
        bulk.like(first, id=ids.new_id(), delivery_id=ids.new_id(), message_hash=bytes([n] * 32), snapshot=dict(own))
        for n in range(30)
    ]
    written = statements.all_columns(Attempt)

    def write(count: int) -> list[list[str]]:
        texts = columns.texts_of_all(written, rows[:count])
        return [column.for_copy(found) for column, found in zip(written, texts, strict=True)]

    assert sorted(map(len, write(30)))[-5:] == [1, 30, 30, 30, 30]
    assert _settled(lambda: write(30)) - _settled(lambda: write(10)) <= 20 * MOST["row"]


def _sealed(model: Any, name: str, value: Any) -> Any:
    return model._meta.get_field(name).get_prep_value(value)


def _settled(act: Callable[[], object]) -> int:
    """Count once everything that is kept after the first times is kept."""
    for _ in range(5):
        act()
    return steps.count(act)
