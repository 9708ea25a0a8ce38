import pytest

from notifications.attachments import names
from notifications.attachments.names import Unfit


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("invoice.pdf", "invoice.pdf"),
        ("../../etc/invoice.pdf", "invoice.pdf"),
        ("C:\\Users\\ada\\Rechnung März.pdf", "Rechnung März.pdf"),
        ("  invoice.pdf . ", "invoice.pdf"),
        ("a\u00a0b  c.pdf", "a b c.pdf"),
        ("发票.pdf", "发票.pdf"),
        ("report", "report"),
        ("my.exe.pdf", "my.exe.pdf"),
        ("x" * 146 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_a_name_loses_its_folders_and_what_lies_around_it(given, clean):
    assert names.cleaned(given) == clean


@pytest.mark.parametrize(
    "given",
    [
        *("", " ", ".", "..", "a/", "x" * 147 + ".pdf"),
        *("a.pdf\r\nBcc: eve@example.com", "a\n.pdf", "a\0.pdf", "a\x7f.pdf", "a\u2028.pdf"),
        *("invoice\u202efdp.exe", "invoice\u202excod.pdf", "a\u200b.pdf"),
        *("setup.exe", "SETUP.EXE", "invoice.pdf.exe", "run.bat", "page.hta", "a.js", "lib.jar", "evil.exe. ", "x.lnk"),
    ],
)
def test_a_name_that_deceives_or_runs_is_refused(given):
    with pytest.raises(Unfit):
        names.cleaned(given)


@pytest.mark.parametrize(
    ("name", "stated", "found"),
    [
        ("invoice.pdf", "", "application/pdf"),
        ("INVOICE.PDF", "application/pdf; charset=binary", "application/pdf"),
        ("invoice.pdf", "application/octet-stream", "application/pdf"),
        ("photo.jpg", "image/jpg", "image/jpeg"),
        ("list.csv", "text/csv", "text/csv"),
        ("dates.ics", "", "text/calendar"),
        ("book.xlsx", "", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("report", "application/pdf", "application/pdf"),
        ("report", "", ""),
        ("letter.eml", "", "application/octet-stream"),
        ("letter", "multipart/mixed", "application/octet-stream"),
    ],
)
def test_the_type_is_what_the_name_says(name, stated, found):
    assert names.content_type(name, stated) == found


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("invoice.pdf", "text/html"),
        ("invoice.pdf", "application/x-msdownload"),
        ("report", "application/x-sh"),
        ("report", "pdf"),
        ("report", "a/b\r\nX: y"),
    ],
)
def test_a_type_that_contradicts_the_name_or_runs_is_refused(name, stated):
    with pytest.raises(Unfit):
        names.content_type(name, stated)


def test_a_program_is_known_by_its_head_and_a_text_is_none():
    assert names.is_program(b"MZ\x90\0\3\0\0\0" + b"\0" * 60)
    assert names.is_program(b"\x7fELF\2\1\1")
    assert names.is_program(b"#!/bin/sh\n")
    assert not names.is_program(b"MZ is how the letter begins, and it goes on for long enough to fill a head.")
    assert not names.is_program(b"%PDF-1.7")
