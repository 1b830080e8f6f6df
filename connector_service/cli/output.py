"""What commands print: sentences and tables for people, or one JSON document; on any console, into any pipe."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TextIO

from connector_service.domain.problems import ConnectorError
from connector_service.observe.controls import CONTROL

_PIPE_WIDTH: Final = 200
"""Columns of a table that is not for a terminal."""
_GAP: Final = 2
"""Columns between two columns of a table."""
_NARROWEST: Final = 12
"""Columns that are left of what is cut to fit a terminal."""


class Out:
    """Where a command's words go. A reader that goes away (``| head``) ends nothing."""

    def __init__(self, as_json: bool) -> None:
        """Make both streams take any character that the console lacks."""
        self.as_json = as_json
        self.said = False
        """Whether anything stands on standard output."""
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                # In JSON a lone surrogate becomes its escape, which is what JSON writes for it.
                reconfigure(errors="backslashreplace" if as_json and stream is sys.stdout else "replace")

    # -- for machines -------------------------------------------------------------------------------------------------

    def document(self, value: Mapping[str, Any]) -> None:
        """The one JSON document."""
        self._write(sys.stdout, self._dump(value) + "\n")

    def streamed(self, head: Mapping[str, Any], name: str, rows: Iterable[Any], tail: Mapping[str, Any]) -> None:
        """The one JSON document, with one long list that is never held whole."""
        self._write(sys.stdout, f'{self._dump(head)[:-1]}, "{name}": [')
        first = True
        for row in rows:
            self._write(sys.stdout, ("\n" if first else ",\n") + self._dump(row))
            first = False
        rest = self._dump(tail)[1:]
        self._write(sys.stdout, f"]{', ' if tail else ''}{rest}\n")

    def listed(self, items: Sequence[Any], following: int | str | None) -> None:
        """A list, as all commands print it."""
        self.document({"items": items, "next": None if following is None else str(following)})

    def _dump(self, value: object) -> str:
        plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        return json.dumps(value, ensure_ascii=plain, default=str)

    # -- for people ---------------------------------------------------------------------------------------------------

    def say(self, text: str = "") -> None:
        """A line on standard output; nothing with ``--json``."""
        if not self.as_json:
            self._write(sys.stdout, _shown(text) + "\n")

    def note(self, text: str) -> None:
        """A line on standard error."""
        self._write(sys.stderr, _shown(text) + "\n")

    def raw(self, text: str) -> None:
        """Text for standard output as it is, such as a file's content."""
        self._write(sys.stdout, text)

    def table(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        right: Sequence[int] = (),
        loose: Sequence[int] = (),
    ) -> None:
        """Aligned columns without lines; nothing with ``--json``.

        ``right`` are the places of columns with numbers. On a terminal that is too narrow the columns ``loose`` are
        cut with a mark, and columns of texts with nothing in them are left out; no cell is broken over two lines there.
        """
        if self.as_json:
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(highlight=False, markup=False, emoji=False, legacy_windows=False)
        cells = [[_shown(cell) for cell in row] for row in rows]
        places = list(range(len(heads)))
        if sys.stdout.isatty():
            places = [place for place in places if not cells or place in right or any(row[place] for row in cells)]
            widths = _widths([[heads[place], *(row[place] for row in cells)] for place in places])
            room = _narrowed(widths, [places.index(place) for place in loose if place in places], console.width)
            console.width = max(console.width, room)
        else:
            widths = []
            console.width = _PIPE_WIDTH
        table = Table(box=None, pad_edge=False, header_style="bold")
        for at, place in enumerate(places):
            is_number = place in right
            table.add_column(
                Text(heads[place]),
                justify="right" if is_number else "left",
                width=widths[at] if widths else None,
                no_wrap=is_number or bool(widths),
                overflow="ellipsis" if widths else "fold",
            )
        for row in cells:
            table.add_row(*(Text(row[place]) for place in places))
        with console.capture() as captured:
            console.print(table)
        self._write(sys.stdout, "\n".join(line.rstrip() for line in captured.get().split("\n")))

    def fault(self, fault: ConnectorError) -> None:
        """What went wrong: for machines on standard output, for people on standard error."""
        if self.as_json and not self.said:
            self.document({"error": fault_json(fault)})
        for part in (fault.what, fault.why, fault.fix):
            if part:
                self.note(part)

    # -- the streams --------------------------------------------------------------------------------------------------

    def _write(self, stream: TextIO, text: str) -> None:
        self.said = self.said or stream is sys.stdout
        try:
            stream.write(text)
        except BrokenPipeError:
            _silence(stream)

    def close(self) -> None:
        """Bring everything out."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                _silence(stream)


def fault_json(fault: ConnectorError) -> dict[str, Any]:
    """A fault, with each of its parts where it is several (settings)."""
    shown: dict[str, Any] = {"code": str(fault.code), "what": fault.what, "why": fault.why, "fix": fault.fix}
    parts = getattr(fault, "faults", None)
    if parts:
        names = ("place", "line", "what", "why", "fix")
        shown["faults"] = [{name: getattr(part, name) for name in names} for part in parts]
    return shown


def _shown(text: str) -> str:
    return CONTROL.sub("\ufffd", text)


def _widths(columns: Iterable[Sequence[str]]) -> list[int]:
    """How wide each column is where nothing is cut."""
    from rich.cells import cell_len

    return [max(cell_len(cell) for cell in column) for column in columns]


def _narrowed(widths: list[int], loose: Sequence[int], room: int) -> int:
    """Take from the loose columns, the widest first, what does not fit; returns how much room all columns need."""
    total = sum(widths) + _GAP * (len(widths) - 1)
    while total > room:
        widest = max(loose, key=lambda place: widths[place], default=None)
        if widest is None or widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        total -= 1
    return total


def _silence(stream: TextIO) -> None:
    """Let what is still written to a closed pipe go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its word: "1 document", "1,204 documents"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
