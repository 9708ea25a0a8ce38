"""The parts of a mail that hold files: byte for byte, whatever their type, each name as RFC 2231 has it."""

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from email.mime.base import MIMEBase
from secrets import token_hex

from django.core.mail import EmailMessage

from notifications.providers.base import File

_LINE = 76  # characters; RFC 2045 §6.8


def part(file: File) -> MIMEBase:
    """Return a file as a part of Django's mails."""
    return _part(file, _lines(file.content, b"\n").decode())


def place(mail: EmailMessage, files: Sequence[File]) -> dict[str, File]:
    """Put parts into a mail that hold a mark each in place of their file; return the file of each mark.

    Python's own way of writing ten mebibytes takes more than a second, in which nothing else is sent.
    """
    marks = {token_hex(16): file for file in files}
    for mark, file in marks.items():
        mail.attach(_part(file, mark))
    return marks


def fill(written: bytes, marks: Mapping[str, File]) -> bytes:
    """Return a written mail with the files in place of their marks."""
    pieces = []
    for mark, file in marks.items():  # in the order of the mail
        before, _, written = written.partition(mark.encode())
        pieces += [before, _lines(file.content, b"\r\n")]
    return b"".join([*pieces, written])


def _part(file: File, payload: str) -> MIMEBase:
    found = MIMEBase(*_type(file).split("/"))
    found.set_payload(payload)
    if found.get_content_maintype() == "text":
        found.set_param("charset", "utf-8")
    found["Content-Transfer-Encoding"] = "base64"
    name = file.filename if file.filename.isascii() else ("utf-8", "", file.filename)
    found.add_header("Content-Disposition", "attachment", filename=name)
    return found


def _type(file: File) -> str:
    """Return the type to state: a text in no character set that we know is a file like any other."""
    if file.content_type.startswith("text/"):
        try:
            file.content.decode()
        except UnicodeDecodeError:
            return "application/octet-stream"
    return file.content_type


def _lines(content: bytes, end: bytes) -> bytes:
    text = b2a_base64(content, newline=False)
    return end.join(text[start : start + _LINE] for start in range(0, len(text), _LINE))
