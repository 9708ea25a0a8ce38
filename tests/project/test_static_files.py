import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client, override_settings


@pytest.mark.django_db
def test_a_file_that_changes_on_disk_is_served_anew_with_its_own_length(tmp_path: Path) -> None:
    """With the length it had at the start, a browser would wait for the rest for ever."""
    file = tmp_path / "page.js"
    file.write_text("a longer first text")
    with override_settings(STATICFILES_DIRS=[tmp_path]):
        client = Client()
        assert b"".join(client.get("/static/page.js")) == b"a longer first text"

        file.write_text("short")
        changed = client.get("/static/page.js")

    assert (b"".join(changed), changed["Content-Length"]) == (b"short", "5")


def test_modules_import_each_other_by_their_hashed_names(tmp_path: Path) -> None:
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": "project.static_files.HashedFiles"}}
    finders = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=storages, STATICFILES_FINDERS=finders):
        call_command("collectstatic", interactive=False, verbosity=0)
        entry = tmp_path / staticfiles_storage.stored_name("carillon/inbox.js")

    imported = re.findall(r'from "(.+?)";', entry.read_text())
    assert len(imported) > 3
    for name in imported:
        assert re.search(r"\.[0-9a-f]{12}\.js$", name) and (entry.parent / name).exists(), name
