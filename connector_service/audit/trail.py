"""The files of the trail: which there are, and their lines, forwards, backwards and from a sequence on.

Nothing here holds more than a block or a line in memory, so the trail may have any length.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from connector_service.audit.chain import Line, parse

_NAME: Final = re.compile(r"trail-(\d{4}-\d{2})\.jsonl", re.ASCII)
_BLOCK: Final = 1 << 16
LONGEST: Final = 1 << 20
"""Bytes after which text without a line break is cut into pieces: no line of ours is as long."""


class Piece(NamedTuple):
    """The bytes between two line breaks of a file."""

    file: Path
    offset: int
    """Where it begins, in bytes."""
    raw: bytes
    """Without its line break."""
    whole: bool
    """Whether a line break ends it; else the file ends here, or it is part of something longer than ``LONGEST``."""


def file_of(folder: Path, month: str) -> Path:
    """The file that holds the lines of a month (``2026-11``)."""
    return folder / f"trail-{month}.jsonl"


def month_of(file: Path) -> str:
    """The month whose lines the file holds: ``2026-11``."""
    return file.name[6:13]


def trail_files(folder: Path) -> list[Path]:
    """The files of the trail, oldest first; none where there is no such folder."""
    try:
        return sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name))
    except FileNotFoundError:
        return []


def forward(file: Path, offset: int = 0) -> Iterator[Piece]:
    """The lines of a file from a place where one begins."""
    with file.open("rb") as stream:
        stream.seek(offset)
        while raw := stream.readline(LONGEST):
            whole = raw.endswith(b"\n")
            yield Piece(file, offset, raw[:-1] if whole else raw, whole)
            offset += len(raw)


def backward(file: Path, end: int | None = None) -> Iterator[Piece]:
    """The lines of a file from its end, or from a place before which one ends."""
    with file.open("rb") as stream:
        start = end = stream.seek(0, 2) if end is None else end
        rest, whole = b"", False
        while start > 0:
            size = min(_BLOCK, start)
            start -= size
            stream.seek(start)
            parts = (stream.read(size) + rest).split(b"\n")
            rest = parts[0]
            for raw in reversed(parts[1:]):
                if raw or whole:  # nothing after the last line break is no piece
                    yield Piece(file, end - len(raw), raw, whole)
                end -= len(raw) + 1
                whole = True
            if len(rest) >= LONGEST:
                yield Piece(file, end - len(rest), rest, whole)
                end -= len(rest)
                rest, whole = b"", False
        if rest or whole:
            yield Piece(file, 0, rest, whole)


def from_end(files: Sequence[Path], end: int | None = None) -> Iterator[Piece]:
    """The lines of all files from the end of the last, or from a place in it before which a line ends."""
    for file in reversed(files):
        yield from backward(file, end)
        end = None


def last_line(folder: Path) -> Line | None:
    """The last line that can be read; costs one block of one file as a rule."""
    return next(filter(None, (parse(piece.raw) for piece in from_end(trail_files(folder)))), None)


def lines_from(files: Sequence[Path], sequence: int) -> Iterator[Piece]:
    """The lines from a sequence on, found by halving: what stands before is not read.

    Lines that cannot be read are among them, from about there on.
    """
    begin = len(files) - 1
    while begin > 0 and not _begins_by(files[begin], sequence):
        begin -= 1
    for place, file in enumerate(files[begin:]):
        skip = place == 0
        for piece in forward(file, _near(file, sequence) if skip else 0):
            if skip and (line := parse(piece.raw)) is not None:
                skip = line.sequence < sequence
            if not skip:
                yield piece


def find(folder: Path, sequence: int) -> Line | None:
    """The line with this sequence; ``None`` where it is not in its place."""
    for piece in lines_from(trail_files(folder), sequence):
        line = parse(piece.raw)
        if line is not None:
            return line if line.sequence == sequence else None
    return None


def may_begin(line: bytes, raw: bytes) -> bool:
    """Whether a crash can have left these bytes of a line: its beginning, then room that was never filled."""
    return line.startswith(raw.rstrip(b"\0"))


def _begins_by(file: Path, sequence: int) -> bool:
    first = next(filter(None, (parse(piece.raw) for piece in forward(file))), None)
    return first is not None and first.sequence <= sequence


def _near(file: Path, sequence: int) -> int:
    """Where a line begins that stands before the one sought, and not far from it."""
    low, high = 0, file.stat().st_size
    with file.open("rb") as stream:
        while high - low > _BLOCK:
            middle = (low + high) // 2
            stream.seek(middle)
            stream.readline(LONGEST)
            place = stream.tell()
            line = parse(stream.readline(LONGEST).rstrip(b"\n")) if place < high else None
            if line is not None and line.sequence < sequence:
                low = place
            else:
                high = middle
    return low
