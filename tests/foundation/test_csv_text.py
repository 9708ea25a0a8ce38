import csv
from collections.abc import Iterator

import pytest

from project.foundation import csv_text


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM",
        " =1+1",
        "\u00a0=HYPERLINK(1)",
    ],
)
def test_what_begins_a_formula_is_text(text: str) -> None:
    assert csv_text.cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "ada", "ada+news@example.com", "1-1", "category:offers × channel:email", "'=1"])
def test_what_begins_none_stays_as_it_is(text: str) -> None:
    assert csv_text.cell(text) == text


def test_a_file_reads_back_as_it_was_whatever_its_cells_hold() -> None:
    rows = [["a,b", 'say "x"', "two\nlines"], ["=cmd", None, "ß ✓"]]

    text = b"".join(csv_text.lines(["one", "two", "three"], rows)).decode("utf-8-sig")

    assert list(csv.reader(text.splitlines(keepends=True))) == [
        ["one", "two", "three"],
        ["a,b", 'say "x"', "two\nlines"],
        ["'=cmd", "", "ß ✓"],
    ]


def test_excel_is_told_that_it_is_utf_8() -> None:
    assert next(csv_text.lines(["one"], [])).startswith(b"\xef\xbb\xbf")


def test_each_line_is_there_before_the_next_row_is_read() -> None:
    read = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            read.append(number)
            yield [number]

    lines = csv_text.lines(["n"], rows())
    next(lines), next(lines)

    assert read == [0]
