"""The consent ledger taken away as CSV: by whom, what of it, and in what form."""

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from preferences import consent
from preferences.admin import csv_export
from preferences.models import Category, ConsentRecord, User
from project.foundation import downloads, ids
from project.foundation.models import AuditEvent

pytestmark = pytest.mark.django_db
URL = "/admin/preferences/consentrecord/"
RIGHTS = ("preferences.view_consentrecord", "preferences.export_consentrecord")
Clerk = Callable[..., Client]


@pytest.fixture
def auditor(clerk: Clerk) -> Client:
    return clerk(*RIGHTS)


def taken(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.post(f"{URL}export/{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))


def choose(user: User, channel: str = "email", *, source: str = "settings_page", agent: str = "Firefox") -> None:
    consent.set_preference(
        user, channel=channel, enabled=False, source=source, actor="key:shop", ip="192.0.2.1", agent=agent
    )


def test_each_line_says_who_chose_what_when_and_how_we_know(auditor: Client, ada: User, offers: Category) -> None:
    consent.set_preference(
        ada, category=offers, channel="email", enabled=False, source="one_click", actor="key:shop",
        ip="192.0.2.1", agent="Thunderbird", wording="2026-06",
    )  # fmt: skip

    (line,) = taken(auditor)

    record = ConsentRecord.objects.get()
    assert datetime.fromisoformat(line.pop("at")) == ids.created_at(record.id)
    assert line == {
        "user_id": "ada",
        "subject": "category:offers × channel:email",
        "old": "unset",
        "new": "no",
        "source": "one_click",
        "actor": "key:shop",
        "ip": "192.0.2.1",
        "agent": "Thunderbird",
        "wording": "2026-06",
        "id": str(record.id),
    }


def test_nothing_in_it_is_a_formula(auditor: Client) -> None:
    choose(User.objects.create_user("=HYPERLINK(1)"), agent="@SUM(1)")

    text = auditor.post(f"{URL}export/").getvalue().decode()

    assert '"\'=HYPERLINK(1)"' in text
    assert '"\'@SUM(1)"' in text


def test_search_and_filters_narrow_it(auditor: Client, ada: User, bob: User) -> None:
    choose(ada, "email", source="api")
    choose(ada, "sms")
    choose(bob, "sms")

    assert [line["user_id"] for line in taken(auditor)] == ["bob", "ada", "ada"]
    assert [line["subject"] for line in taken(auditor, "?q=ada&source__exact=api")] == ["channel:email"]


def test_what_is_older_than_asked_for_stays_out(auditor: Client, ada: User) -> None:
    choose(ada, "email")
    choose(ada, "sms")
    old = ids.first_id_at(ids.created_at(ConsentRecord.objects.last().id) - timedelta(days=8))  # type: ignore[union-attr]
    ConsentRecord.objects.bulk_create(
        [ConsentRecord(id=old, user=ada, subject="old", old="", new="", source="", actor="")]
    )

    assert len(taken(auditor)) == 3
    assert "old" not in {line["subject"] for line in taken(auditor, "?days=7")}


def test_it_is_read_in_parts_and_sent_as_it_is_read(auditor: Client, ada: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(csv_export, "_AT_ONCE", 2)
    monkeypatch.setattr(downloads, "_PART", 1)
    for channel in ("email", "sms", "push", "voice", "chat"):
        choose(ada, channel)
    answer, read = auditor.post(f"{URL}export/"), []
    monkeypatch.setattr(ConsentRecord, "__init__", _counting(ConsentRecord.__init__, read))

    lines = iter(answer)
    next(lines), next(lines)

    assert len(read) == 1
    assert len(list(lines)) == 4
    assert len(read) == 5


def _counting(make: Callable[..., None], made: list[object]) -> Callable[..., None]:
    def init(self: object, *args: Any, **kwargs: Any) -> None:
        made.append(self)
        make(self, *args, **kwargs)

    return init


def test_it_is_a_file_that_nobody_on_the_way_keeps(auditor: Client) -> None:
    answer = auditor.post(f"{URL}export/")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="consentrecord-2')
    assert "no-store" in answer["Cache-Control"]


def test_the_trail_says_who_took_what_and_repeats_no_search(auditor: Client, ada: User) -> None:
    choose(ada)

    taken(auditor, "?q=ada&source__exact=settings_page")

    line = AuditEvent.objects.get(action="consentrecord.exported")
    assert line.actor.startswith("staff:clerk-")
    assert line.detail == {"narrowed_by": ["q", "source__exact"]}
    assert line.ip == "127.0.0.1"


@pytest.mark.parametrize("rights", [(), RIGHTS[:1], RIGHTS[1:]])
def test_it_takes_the_right_to_look_and_the_right_to_take(clerk: Clerk, ada: User, rights: tuple[str, ...]) -> None:
    choose(ada)

    assert clerk(*rights).post(f"{URL}export/").status_code == 403
    assert not AuditEvent.objects.filter(action="consentrecord.exported").exists()


def test_the_button_is_there_for_who_may_press_it(clerk: Clerk, auditor: Client, ada: User) -> None:
    choose(ada)

    assert f'action="{URL}export/?q=ada"' in auditor.get(f"{URL}?q=ada").content.decode()
    assert "Download as CSV" not in clerk(RIGHTS[0]).get(URL).content.decode()


def test_opening_the_address_takes_nothing(auditor: Client) -> None:
    assert auditor.get(f"{URL}export/").status_code == 405
