"""The files that docs/people.md shows are files that can be imported, and its tables name what there is."""

import re
from pathlib import Path

import pytest

from notifications.providers import keywords
from preferences.imports.blocking import REASONS, Blocking
from preferences.imports.people import People
from preferences.models import User
from tests.preferences.imports.files import bring_in

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "people.md").read_text()
FILES = re.findall(r"```csv\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.django_db
def test_the_files_that_are_shown_can_be_imported():
    people, blocked = FILES

    assert bring_in(people).counts["new"] == 2
    assert bring_in(blocked, kind="suppressions").counts["new"] == 2
    assert User.objects.get(user_id="ada").attributes == {"plan": "pro"}


def test_every_column_and_reason_is_named():
    for shape in (People.shape, Blocking.shape):
        for column in (*shape.required, *shape.optional):
            assert f"`{column}`" in TEXT
    assert all(f"`{reason.value}`" in TEXT for reason in REASONS)


def test_the_words_that_are_named_stop():
    [row] = re.findall(r"\| (stop, stop all.*?) \|", TEXT)
    quoted = re.findall(r"“(.*?)”", TEXT.partition("| what plainly means it")[2].partition("|")[0])

    for words in (*re.split("[,;] ", row), *quoted):
        assert keywords.read(words) == "stop", words
    assert keywords.read("Cancel my order") is None
