"""Looking things up in the trail: by route, document, event, actor, time and sequence, from either end.

There is no index: a line that cannot fit is told by its bytes, without being decoded; months and sequences outside
what is asked for are not read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from connector_service.audit.chain import Line, moment_text, parse
from connector_service.audit.trail import Piece, file_of, from_end, lines_from, month_of, trail_files

UNREADABLE: Final = "unreadable_line"
"""The event of what stands in the place of a line that cannot be read; its details say where that is."""

_FIELDS: Final = ("route", "kind", "key", "number", "event", "actor")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines are asked for; what is empty asks for nothing."""

    route: str = ""
    kind: str = ""
    key: str = ""
    number: str = ""
    event: str = ""
    actor: str = ""
    since: datetime | None = None
    """From this moment on."""
    until: datetime | None = None
    """Before this moment."""
    after: int = 0
    """Only sequences above this."""
    before: int | None = None
    """Only sequences below this."""


def read(
    folder: Path, where: Filter | None = None, *, newest_first: bool = False, limit: int | None = None
) -> Iterator[Line]:
    """The lines that fit, oldest or newest first, at most ``limit``; one at a time.

    Does not ask whether lines are genuine: that is ``verify``'s. Raises ``OSError`` where a file cannot be read.
    """
    where = where or Filter()
    fits = _tester(where)
    found = (line for piece in _candidates(folder, where, newest_first) if (line := fits(piece)) is not None)
    return islice(found, limit)


def _candidates(folder: Path, where: Filter, backwards: bool) -> Iterator[Piece]:
    files = trail_files(folder)
    if where.since is not None:
        # A line never stands in the file of an earlier month, though it may in that of a later one (see flush).
        first = file_of(folder, moment_text(where.since)[:7])
        files = [file for file in files if month_of(file) >= month_of(first)]
    if not backwards:
        yield from _ended(lines_from(files, where.after + 1), where.before)
        return
    for piece in from_end(*_up_to(files, where.before)):
        if where.after and (line := parse(piece.raw)) is not None and line.sequence <= where.after:
            return
        yield piece


def _ended(pieces: Iterator[Piece], before: int | None) -> Iterator[Piece]:
    for piece in pieces:
        if before is not None and (line := parse(piece.raw)) is not None and line.sequence >= before:
            return
        yield piece


def _up_to(files: list[Path], before: int | None) -> tuple[list[Path], int | None]:
    """The files that hold lines below this sequence, and where these end in the last of them."""
    first = next(lines_from(files, before), None) if before is not None else None
    if first is None:
        return files, None
    return [file for file in files if file <= first.file], first.offset


def _tester(where: Filter) -> Callable[[Piece], Line | None]:
    asked = [(name, value) for name in _FIELDS if (value := getattr(where, name))]
    # What the line must contain, byte by byte, to fit: the same encoder wrote it.
    marks = [b'"%b":%b' % (name.encode(), msgspec.json.encode(value)) for name, value in asked]
    since = "" if where.since is None else moment_text(where.since)
    until = "" if where.until is None else moment_text(where.until)

    def fits(piece: Piece) -> Line | None:
        if not all(mark in piece.raw for mark in marks):
            return None
        line = parse(piece.raw)
        if line is None:
            bounded = since or until or where.after or where.before is not None
            place = {"file": piece.file.name, "offset": piece.offset}
            return None if bounded or not piece.raw else Line(event=UNREADABLE, details=place)
        wanted = (
            all(getattr(line, name) == value for name, value in asked)
            and line.sequence > where.after
            and (where.before is None or line.sequence < where.before)
            and line.time >= since
            and (not until or line.time < until)
        )
        return line if wanted else None

    return fits
