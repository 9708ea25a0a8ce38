import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.imports import records
from preferences.imports.intake import PIECE, Intake, Refused
from preferences.imports.lines import LONGEST, Lines


def taken_in(data: bytes, *, part: int = 7, most: int = 10**9) -> list[str]:
    pieces: list[str] = []
    intake = Intake(pieces.append, most_bytes=most)
    for start in range(0, len(data), part):
        intake.write(data[start : start + part])
    assert intake.close() == sum(map(len, pieces))
    return pieces


def lines_of(text: str) -> Lines:
    return Lines(lambda number: text[number * PIECE : (number + 1) * PIECE])


def rows(text: str, delimiter: str = ",") -> list[tuple[int, list[str] | str]]:
    found = records.read(lines_of(text), delimiter)
    return [(each.line, each.fault.code if each.fault else each.cells) for each in found]


@pytest.mark.parametrize("part", [1, 2, 3, 1000])
def test_text_comes_in_whole_however_its_bytes_are_cut(part):
    data = "\ufeffname;Zoë\r\n👩;b\rc\n".encode()

    assert "".join(taken_in(data, part=part)) == "name;Zoë\n👩;b\nc\n"


def test_pieces_are_of_one_size_but_for_the_last():
    assert [len(piece) for piece in taken_in(b"a" * (2 * PIECE + 5), part=65536)] == [PIECE, PIECE, 5]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"PK\x03\x04....", "workbook or a zip"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"\xd0\xcf\x11\xe0\xa1", "Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        ("a,b\n".encode("utf-16"), "UTF-16"),
        ("user_id\nada\nZoë\n".encode("cp1252"), "Line 3 is not UTF-8"),
        ("Zoë".encode()[:-1], "Line 1 is not UTF-8"),
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"x" * 3_000_001, "larger than 3 MB"),
    ],
)
@pytest.mark.parametrize("part", [1, 65536])
def test_what_is_no_csv_is_refused_in_words(data, sentence, part):
    with pytest.raises(Refused, match=sentence):
        taken_in(data, part=part if len(data) < 100 else 65536, most=3_000_000)


def test_rows_may_hold_delimiters_quotes_and_line_breaks():
    text = 'a,b\n"1,2","say ""hi""\nand go"\n\n\nc,d'

    assert rows(text) == [(1, ["a", "b"]), (2, ["1,2", 'say "hi"\nand go']), (6, ["c", "d"])]


def test_a_row_that_is_too_long_spoils_no_other():
    text = f"a,b\n{'x' * (LONGEST + 10)}\nc,d\n{'y' * (3 * PIECE)}\ne,f\n"

    assert rows(text) == [(1, ["a", "b"]), (2, "row_too_long"), (3, ["c", "d"]), (4, "row_too_long"), (5, ["e", "f"])]


def test_a_quotation_mark_that_is_never_closed_spoils_its_row_alone():
    rest = "".join(f"c{number},d\n" for number in range(20_000))

    found = rows(f'a,b\n1,"2\n{rest}')

    assert found[:3] == [(1, ["a", "b"]), (2, "open_quotation_mark"), (3, ["c0", "d"])]
    assert found[-1] == (20_002, ["c19999", "d"])


def test_a_quotation_mark_that_is_open_at_the_end_of_the_file_spoils_its_row_alone():
    assert rows('a,b\n"c,d\ne,f\n') == [(1, ["a", "b"]), (2, "open_quotation_mark"), (3, ["e", "f"])]


def test_what_follows_a_closing_quotation_mark_is_a_fault_of_its_row():
    assert rows('"a"b,c\nd,e\n') == [(1, "stray_quotation_mark"), (2, ["d", "e"])]


def test_reading_goes_on_where_it_was_left():
    text = "".join(f'{number},"a\nb"\n' for number in range(100_000))
    lines = lines_of(text)
    found = records.read(lines, ",")
    first = [next(found) for _ in range(60_000)]

    again = records.read(
        Lines(lambda n: text[n * PIECE : (n + 1) * PIECE], position=lines.position, line=lines.line), ","
    )

    assert first[-1].cells[0] == "59999"
    assert [(each.line, each.cells[0]) for each in again][:2] == [(120_001, "60000"), (120_003, "60001")]


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8), min_size=2, max_size=4)
    )
)
def test_whatever_is_written_as_csv_is_read_back(table):
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(table)

    text = "".join(taken_in(("\ufeff" + written.getvalue()).encode(), part=5)) if table else ""

    assert [cells for _, cells in rows(text)] == table
