"""The lines of a text that lies in pieces, from any place on: one piece is in memory at a time."""

from collections.abc import Callable

from preferences.imports.intake import PIECE

LONGEST = 64 * 1024  # characters of a row


class Lines:
    """An iterator over lines with their ends. `position` is where the next one begins, `line` its number from 1.

    `piece` returns a piece of the text by its number, "" past the end. Of a line beyond LONGEST only the beginning is
    returned, which is longer than that, and the rest is passed over.
    """

    def __init__(self, piece: Callable[[int], str], *, position: int = 0, line: int = 1) -> None:
        self._read = piece
        self._number, self._piece = -1, ""
        self.position, self.line = position, line

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        parts: list[str] = []
        length = 0
        while part := self._to_the_end_of_line():
            if length <= LONGEST:
                parts.append(part)
            length += len(part)
            self.position += len(part)
            if part[-1] == "\n":
                break
        if not parts:
            raise StopIteration
        self.line += 1
        return "".join(parts)

    def go_back(self, position: int, line: int) -> None:
        """Read again from a place that was passed."""
        self.position, self.line = position, line

    def _to_the_end_of_line(self) -> str:
        number, start = divmod(self.position, PIECE)
        if number != self._number:
            self._number, self._piece = number, self._read(number)
        end = self._piece.find("\n", start) + 1
        return self._piece[start : end or None]
