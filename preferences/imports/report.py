"""What is wrong with a file's rows, as a file for a spreadsheet."""

from collections.abc import Generator

from preferences.models import Import
from project.foundation import csv_text

CONTENT_TYPE = csv_text.CONTENT_TYPE
FILE_NAME = "errors.csv"
_AT_ONCE = 2000  # rows in memory


def of(job: Import) -> Generator[bytes, None, None]:
    """Yield the report of an import, line by line. Nothing that stands in the file itself is repeated."""
    rows = job.faults.order_by("line", "id").values_list("line", "column", "code", "message").iterator(_AT_ONCE)
    yield from csv_text.lines(["line", "column", "code", "what is wrong"], rows)
