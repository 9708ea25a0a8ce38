"""Taking in the bytes of a file as they arrive: whatever is no text of lines is refused, the rest becomes pieces."""

import codecs
import io
from collections.abc import Callable

PIECE = 256 * 1024  # characters: what is sealed, stored and held in memory at once

# What people upload in place of CSV, by how it begins.
_OTHER_FILES = {
    b"PK\x03\x04": "This is a workbook or a zip archive. Save it as CSV, and upload that file as it is.",
    b"\x1f\x8b": "This file is compressed. Unpack it, and upload the CSV file in it.",
    b"\xd0\xcf\x11\xe0": "This is an Excel workbook. Save it as “CSV UTF-8”.",
    b"%PDF": "This is a PDF. A CSV file is needed.",
    b"\xff\xfe": "This file is UTF-16. Save it as “CSV UTF-8”.",
    b"\xfe\xff": "This file is UTF-16. Save it as “CSV UTF-8”.",
}
_TELLING = 4  # bytes


class Refused(Exception):
    """The file cannot be imported. The message is a sentence for whoever uploaded it."""


class Intake:
    """A file on its way in. `keep` is called with its text, PIECE characters at a time; the last piece is shorter.

    UTF-8 with or without a byte order mark; every kind of line end becomes a line feed.
    """

    def __init__(self, keep: Callable[[str], None], *, most_bytes: int) -> None:
        self._keep = keep
        self._most = most_bytes
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
        self._held = ""
        self._begun = b""
        self._bytes = self._lines = self.characters = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises Refused."""
        self._bytes += len(data)
        if self._bytes > self._most:
            raise Refused(f"The file is larger than {self._most // 10**6} MB. Split it, and import its parts.")
        if len(self._begun) >= _TELLING:
            self._take(data, final=False)
            return
        self._begun += data
        if len(self._begun) >= _TELLING:
            self._begin()

    def close(self) -> int:
        """Take the end; return how many characters there were. Raises Refused."""
        if len(self._begun) < _TELLING:
            self._begin()
        self._take(b"", final=True)
        if self._held:
            self._keep(self._held)
            self._held = ""
        if not self.characters:
            raise Refused("The file is empty.")
        return self.characters

    def _begin(self) -> None:
        for beginning, sentence in _OTHER_FILES.items():
            if self._begun.startswith(beginning):
                raise Refused(sentence)
        self._take(self._begun, final=False)

    def _take(self, data: bytes, *, final: bool) -> None:
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n") + 1
            raise Refused(f"Line {line:,} is not UTF-8 text. Save the file as “CSV UTF-8”.") from None
        self._lines += text.count("\n")
        self.characters += len(text)
        self._held += text
        while len(self._held) >= PIECE:
            self._keep(self._held[:PIECE])
            self._held = self._held[PIECE:]
