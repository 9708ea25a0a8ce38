import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from preferences.models import Import, ImportChunk, ImportFault, Suppression, User
from tests.preferences.imports.files import check, upload, work

pytestmark = pytest.mark.django_db
ADD = "/admin/preferences/import/add/"
PEOPLE = "user_id,name,email\nada,Ada,ada@example.com\nbob,Bob,nobody\n"


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("grace", "a long enough password"))
    return client


def clerk_with(*permissions: str) -> Client:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(clerk)
    return client


def send(client: Client, text: str | bytes, *, kind: str = "people", **fields: str):
    data = text.encode() if isinstance(text, str) else text
    return client.post(f"{ADD}?kind={kind}", {"file": SimpleUploadedFile("people.csv", data), **fields})


def page(client: Client, job: Import) -> str:
    return client.get(reverse("admin:preferences_import_change", args=[job.pk])).content.decode()


def act(client: Client, job: Import, name: str):
    return client.post(reverse(f"admin:preferences_import_{name}", args=[job.pk]), follow=True)


def test_a_file_is_uploaded_checked_shown_and_imported(desk):
    answer = send(desk, PEOPLE)
    job = Import.objects.get()
    assert answer.url == reverse("admin:preferences_import_change", args=[job.pk])
    assert "Checking the file" in page(desk, job)

    work(job)
    shown = page(desk, job)
    assert "Import 1 row<" in shown and "name@example.com" in shown and User.objects.filter(user_id="ada").count() == 0
    act(desk, job, "start")
    assert "Importing" in page(desk, job)
    work(job)

    assert "What it did" in page(desk, job)
    assert User.objects.get(user_id="ada").name == "Ada"
    assert job.actor == "staff:grace" and job.file_name == "people.csv"


def test_the_page_refreshes_itself_without_javascript_only_while_there_is_work(desk):
    job = upload(PEOPLE)
    assert '<noscript><meta http-equiv="refresh"' in page(desk, job)

    work(job)

    assert "http-equiv" not in page(desk, job)


def test_the_moving_part_says_in_which_state_it_is(desk):
    job = check(PEOPLE)

    answer = desk.get(reverse("admin:preferences_import_progress", args=[job.pk]))

    assert answer["X-Import-Status"] == "checked"
    assert "<html" not in answer.content.decode() and "With errors" in answer.content.decode()


def test_an_import_is_stopped_and_its_file_deleted(desk):
    job = upload(PEOPLE)

    assert "It is stopped" in act(desk, job, "stop").content.decode()
    assert "cannot be started" in act(desk, job, "start").content.decode()

    assert not ImportChunk.objects.exists()


@pytest.mark.parametrize(
    ("data", "sentence"), [(b"PK\x03\x04zip", "zip archive"), (b"", "The file is empty"), (b"\xff\xfea", "UTF-16")]
)
def test_what_is_no_csv_is_refused_beside_the_field_and_not_kept(desk, data, sentence):
    answer = send(desk, data)

    assert answer.status_code == 422
    assert sentence in answer.content.decode() and 'aria-invalid="true"' in answer.content.decode()
    assert not Import.objects.exists()


def test_a_form_without_a_file_asks_for_one(desk):
    answer = desk.post(ADD, {})

    assert answer.status_code == 422 and "Choose a file." in answer.content.decode()


def test_a_file_that_is_too_large_is_refused_and_nothing_of_it_is_kept(desk, settings):
    settings.IMPORT_MAX_BYTES = 1_000_000

    answer = send(desk, "user_id\n" + "u\n" * 1_000_000)

    assert answer.status_code == 422 and "larger than 1 MB" in answer.content.decode()
    assert not ImportChunk.objects.exists()


def test_nothing_stays_of_an_upload_whose_form_is_not_genuine():
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("grace", "a long enough password"))

    assert send(client, PEOPLE).status_code == 403
    assert not Import.objects.exists() and not ImportChunk.objects.exists()


def test_nobody_uploads_without_being_allowed_to():
    assert send(Client(), PEOPLE).status_code == 302
    assert send(clerk_with("view_import"), PEOPLE).status_code == 403
    assert not Import.objects.exists()


def test_who_may_suppress_may_not_therefore_import_people():
    clerk = clerk_with("view_import", "add_import", "add_suppression")
    people = check(PEOPLE)

    assert send(clerk, PEOPLE).status_code == 403
    assert send(clerk, "channel,address\nsms,+493012345678\n", kind="suppressions").status_code == 302
    assert "Import 1 row" not in page(clerk, people)
    assert act(clerk, people, "start").status_code == 403
    assert act(clerk, people, "stop").status_code == 403
    for job in Import.objects.filter(kind="suppressions"):
        work(job)
        act(clerk, job, "start")
        work(job)
    assert Suppression.objects.get().actor == "staff:clerk"


def test_who_may_not_look_sees_nothing():
    job = check(PEOPLE)
    clerk = clerk_with("view_user")

    for name in ("change", "progress", "errors"):
        assert clerk.get(reverse(f"admin:preferences_import_{name}", args=[job.pk])).status_code == 403


def test_all_errors_can_be_downloaded_as_a_file_that_computes_nothing(desk):
    job = check("user_id,attributes.=cmd()\na/b,1\n" + "c/d,2\n" * 150)
    ImportFault.objects.filter(line=2).update(column="attributes.=cmd()", message="=1+1")

    answer = desk.get(reverse("admin:preferences_import_errors", args=[job.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")

    assert len(text.splitlines()) == 152
    assert text.splitlines()[1] == '"2","attributes.=cmd()","invalid_user_id","\'=1+1"'
    assert "These are the first 50" in page(desk, job)


def test_the_list_says_what_became_of_each(desk):
    check(PEOPLE)

    text = desk.get("/admin/preferences/import/").content.decode()

    assert "People from file.csv" in text and "2, 1 with errors" in text and "Checked" in text


def test_an_empty_cell_empties_what_is_stored_where_the_form_says_so(desk):
    send(desk, PEOPLE, clears="1")

    assert Import.objects.get().clears
