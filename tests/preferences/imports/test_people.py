import pytest

from preferences import contact_points, suppressions
from preferences.consent import Origin
from preferences.loading import load_person
from preferences.models import ImportChunk, User
from preferences.suppressions import Unwanted
from preferences.users import UserFields, upsert
from project.foundation.models import AuditEvent
from tests.preferences.imports.files import bring_in, check, faults

pytestmark = pytest.mark.django_db
FILE = """user_id,name,email,phone,locale,timezone,attributes.plan
ada,Ada Lovelace,ada@example.com,+49 89 1234567,en_gb,Europe/London,pro
bob,Bob,bob@example.com,,,,
"""


def ada() -> User:
    return User.objects.get(user_id="ada")


def test_a_file_is_checked_first_and_nothing_is_written():
    upsert("bob", UserFields(name="Bob", email="bob@example.com"))
    upsert("ada", UserFields(name="Ada"))

    job = check(FILE + "eve,Eve,nobody,1,x,Mars,\ncy,Cy,,,,,\n")

    assert job.status == "checked"
    assert job.counts == {"rows": 4, "new": 1, "changed": 1, "unchanged": 1, "faulty": 1, "faults": 4}
    assert faults(job) == [
        (4, "email", "invalid_address"),
        (4, "phone", "invalid_address"),
        (4, "locale", "invalid_locale"),
        (4, "timezone", "invalid_timezone"),
    ]
    assert User.objects.count() == 2 and ada().name == "Ada"


def test_what_was_checked_is_imported_on_somebodys_word():
    job = bring_in(FILE + "eve,Eve,nobody,,,,\n")

    assert (job.status, job.counts) == ("completed", {"rows": 3, "new": 2, "faulty": 1, "faults": 1})
    assert job.checked == job.counts
    assert (ada().name, ada().locale, ada().timezone) == ("Ada Lovelace", "en-GB", "Europe/London")
    assert ada().attributes == {"plan": "pro"}
    assert contact_points.find_users("sms", "+49891234567") == [ada().pk]
    assert faults(job) == [(4, "email", "invalid_address")]


def test_the_same_file_again_changes_nothing():
    bring_in(FILE)

    assert bring_in(FILE).counts == {"rows": 2, "unchanged": 2, "faulty": 0, "faults": 0}


def test_an_empty_cell_leaves_what_is_there_unless_the_upload_says_otherwise():
    bring_in(FILE)
    empty = "user_id,name,email,attributes.plan\nada,,,\n"

    assert bring_in(empty).counts["unchanged"] == 1
    assert bring_in(empty, clears=True).counts["changed"] == 1
    assert (ada().name, ada().attributes, ada().locale) == ("", {}, "en-GB")
    assert [point.channel for point in ada().contact_points.order_by("channel")] == ["sms", "voice"]


def test_attributes_without_a_column_stay():
    upsert("ada", UserFields(attributes={"city": "Rome", "plan": "free"}))

    bring_in("user_id,attributes.plan\nada,pro\n")

    assert ada().attributes == {"city": "Rome", "plan": "pro"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_delimiter_is_found_out(delimiter, mark):
    text = "user_id,name,email\nada,Ada,ada@example.com\n".replace(",", delimiter)

    bring_in(mark + text)

    assert ada().name == "Ada"


def test_columns_are_named_in_any_case():
    bring_in(" User_ID , NAME,Attributes.Plan\nada,Ada,pro\n")

    assert (ada().name, ada().attributes) == ("Ada", {"Plan": "pro"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("user_id,nick\nada,a\n", "There is no column “nick”. Columns are user_id, name, email"),
        ("user_id,name,name\n", "Column “name” stands there twice."),
        ("name,email\n", "Column “user_id” is missing."),
        ("ada,Ada Lovelace\n", "The first row has to name the columns: user_id,"),
        ("user_id,attributes.\n", "There is no column “attributes.”"),
        ('user_id,"name\nada,Ada\n', "The first row has to name the columns"),
        ("\n \n\n", "The file is empty."),
    ],
)
def test_a_file_whose_columns_are_wrong_is_refused_in_words_and_deleted(text, sentence):
    job = check(text)

    assert job.status == "refused" and sentence in job.problem
    assert not ImportChunk.objects.exists()


def test_every_faulty_row_is_named_and_spoils_no_other():
    rows = [
        "ada,Ada,ada@example.com",
        "short,row",
        "nul,N\0l,",
        '"cy","C\nY"x,',
        "grace,Eve,eve@example.com",
        f"long,{'x' * 70_000},",
        "a/b,,",
        ",Nobody,",
        "dora,Dora,dora@example.com",
    ]
    User.objects.create_superuser("grace", "secret")

    job = bring_in("user_id,name,email\n" + "\n".join(rows) + "\n")

    assert faults(job) == [
        (3, "", "wrong_number_of_cells"),
        (4, "name", "invalid_string"),
        (5, "", "stray_quotation_mark"),
        (6, "", "wrong_number_of_cells"),
        (7, "user_id", "staff_user"),
        (8, "", "row_too_long"),
        (9, "user_id", "invalid_user_id"),
        (10, "user_id", "invalid_user_id"),
    ]
    assert set(User.objects.values_list("user_id", flat=True)) == {"ada", "grace", "dora"}
    assert User.objects.get(user_id="grace").name == ""


def test_no_import_lifts_a_suppression():
    suppressions.suppress([Unwanted("email", "ada@example.com", "erased")], origin=Origin("admin", "staff:grace"))

    bring_in(FILE)

    assert [p.usable for p in load_person(ada().pk).contact_points if p.channel == "email"] == [False]


def test_the_file_is_sealed_while_it_is_kept_and_deleted_when_it_is_done():
    job = check(FILE)
    [chunk] = ImportChunk.objects.all()
    [stored] = ImportChunk.objects.extra(select={"raw": "text"}).values_list("raw")

    assert chunk.text == FILE
    assert b"Lovelace" not in bytes(stored[0])
    bring_in(FILE)
    assert set(ImportChunk.objects.values_list("of", flat=True)) == {job.pk}


def test_who_imported_what_is_on_record_without_anybodys_data():
    bring_in(FILE)

    events = list(AuditEvent.objects.order_by("id"))
    assert [event.action for event in events] == ["import.uploaded", "import.started", "import.completed"]
    assert {event.actor for event in events} == {"staff:grace"}
    assert "ada" not in str([event.detail for event in events])
