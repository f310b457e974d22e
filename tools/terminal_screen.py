"""A small terminal screen: text and escape sequences in, lines of styled cells out."""

from __future__ import annotations

import dataclasses
import re

__all__ = ["Screen", "Style"]

SEQUENCE = re.compile(
    r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()].|\x1b."
)


@dataclasses.dataclass(frozen=True)
class Style:
    """How a cell looks; a colour is a palette index, ``#rrggbb`` or None for the default."""

    foreground: int | str | None = None
    background: int | str | None = None
    bold: bool = False
    dim: bool = False
    underline: bool = False
    reverse: bool = False


class Screen:
    """Keep what a terminal would show: the last state of every line, none scrolled away.

    Parameters
    ----------
    columns : int
        Width; longer lines wrap.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._lines: list[list[tuple[str, Style]]] = [[]]
        self._row = self._column = 0
        self._style = Style()

    def write(self, text: str, style: Style, prompt: Style) -> None:
        """Write a prompt and a command line, and go to the next line."""
        for part, look in (("$ ", prompt), (text, style)):
            self._style = look
            for character in part:
                self._put(character)
        self._style = Style()
        self._newline()
        self._column = 0

    def feed(self, text: str) -> None:
        """Take what a program wrote, escape sequences and all."""
        position = 0
        for match in SEQUENCE.finditer(text):
            self._plain(text[position : match.start()])
            if match[2]:
                self._control(match[1], match[2])
            position = match.end()
        self._plain(text[position:])

    def rows(self) -> list[list[tuple[str, Style]]]:
        """Return the lines without empty ones at the end."""
        lines = [list(line) for line in self._lines]
        while lines and not any(character.strip() for character, _ in lines[-1]):
            lines.pop()
        return lines

    def _plain(self, text: str) -> None:
        for character in text:
            if character == "\n":
                self._newline()
            elif character == "\r":
                self._column = 0
            elif character == "\b":
                self._column = max(self._column - 1, 0)
            elif character == "\t":
                self._column = min((self._column // 8 + 1) * 8, self._columns - 1)
            elif character.isprintable():
                self._put(character)

    def _put(self, character: str) -> None:
        if self._column >= self._columns:
            self._newline()
            self._column = 0
        line = self._lines[self._row]
        line.extend([(" ", Style())] * (self._column + 1 - len(line)))
        line[self._column] = (character, self._style)
        self._column += 1

    def _newline(self) -> None:
        self._row += 1
        while len(self._lines) <= self._row:
            self._lines.append([])

    def _control(self, numbers: str, name: str) -> None:
        values = [int(part) if part.isdigit() else 0 for part in numbers.split(";")]
        count = max(values[0], 1)
        line = self._lines[self._row]
        if name == "m":
            self._restyle(values)
        elif name == "K" and values[0] == 0:
            del line[self._column :]
        elif name == "K":
            end = len(line) if values[0] == 2 else min(self._column + 1, len(line))
            line[:end] = [(" ", Style())] * end
        elif name == "J":
            del line[self._column :]
            del self._lines[self._row + 1 :]
        elif name == "A":
            self._row = max(self._row - count, 0)
        elif name == "B":
            for _ in range(count):
                self._newline()
        elif name == "C":
            self._column = min(self._column + count, self._columns - 1)
        elif name == "D":
            self._column = max(self._column - count, 0)
        elif name == "G":
            self._column = min(count - 1, self._columns - 1)

    def _restyle(self, values: list[int]) -> None:
        queue = list(values)
        while queue:
            code = queue.pop(0)
            change: dict[str, object] = {}
            if code == 0:
                self._style = Style()
            elif code in (38, 48):
                name = "foreground" if code == 38 else "background"
                kind = queue.pop(0) if queue else 0
                if kind == 5 and queue:
                    change[name] = queue.pop(0)
                elif kind == 2 and len(queue) >= 3:
                    red, green, blue = queue[:3]
                    del queue[:3]
                    change[name] = f"#{red:02x}{green:02x}{blue:02x}"
            else:
                change = _CHANGES.get(code, {})
            self._style = dataclasses.replace(self._style, **change)


_CHANGES: dict[int, dict[str, object]] = {
    1: {"bold": True},
    2: {"dim": True},
    4: {"underline": True},
    7: {"reverse": True},
    22: {"bold": False, "dim": False},
    24: {"underline": False},
    27: {"reverse": False},
    39: {"foreground": None},
    49: {"background": None},
    **{30 + n: {"foreground": n} for n in range(8)},
    **{90 + n: {"foreground": n + 8} for n in range(8)},
    **{40 + n: {"background": n} for n in range(8)},
    **{100 + n: {"background": n + 8} for n in range(8)},
}
