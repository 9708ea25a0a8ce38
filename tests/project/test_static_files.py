from pathlib import Path

import pytest
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
