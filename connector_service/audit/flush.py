"""The one writer of the trail: takes sealed lines from the store's outbox to the files, each once, whole and durable.

A line goes into the file of its month, but never into one older than the newest there is: should the clock be set
back, the order of the files stays the order of the chain. The outbox lets go of a line only after the file is on the
disk, so what a crash leaves unfinished is still there and is compared with it at the next start.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile, groupby
from pathlib import Path
from typing import Final

from connector_service.audit.chain import Line, parse
from connector_service.audit.trail import Piece, file_of, from_end, may_begin, month_of, trail_files
from connector_service.contract.crashpoints import crash_point
from connector_service.contract.trail import TrailOutbox
from connector_service.domain.problems import ConnectorError, NeedsUser, RetryLater, Stop
from connector_service.domain.status_codes import IssueCode
from connector_service.files import PRIVATE, PRIVATE_FOLDER, sync_folder

_BATCH: Final = 5000
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_NO_RIGHT: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@dataclass(slots=True)
class Flushed:
    """What a flush did, and what it found in the files when it began."""

    written: int = 0
    """Lines that were appended."""
    cut: int = 0
    """Bytes of an unfinished append that were cut off, because the store still held the lines."""
    set_aside: tuple[Path, ...] = ()
    """Copies of what was cut off though it was not an unfinished append: somebody should look at them."""
    missing: tuple[int, int] | None = None
    """First and last sequence of lines that should stand in the files and do not: ``verify`` names the place."""


class Flusher:
    """Appends the outbox's lines to the files. Only the process that owns the data folder may have one."""

    def __init__(self, outbox: TrailOutbox, folder: Path) -> None:
        """Write from this outbox into this folder; nothing is touched before ``flush``."""
        self._outbox = outbox
        self._folder = folder
        self._after = 0
        self._left: tuple[Path, int] | None = None

    def flush(self) -> Flushed:
        """Bring everything that waits into the files; may be called at any time, also after a fault.

        Raises ``ConnectorError`` where that cannot be done: no room (``DISK_FULL``, tried again by itself), no right
        to write (``FOLDER_NOT_WRITABLE``), the trail tells another history than the store (``STORE_BEHIND``), else
        ``AUDIT_NOT_WRITTEN``. Nothing is lost: lines that could not be written stay in the outbox.
        """
        done = Flushed()
        try:
            if self._left is None or not self._as_left(*self._left):
                self._left = None
                self._prepare(done)
            while waiting := self._outbox.unflushed(self._after, _BATCH):
                for month, lines in groupby(waiting, key=lambda one: one[1][9:16]):
                    self._append(month, list(lines), done)
        except OSError as fault:
            self._left = None
            raise _as_problem(fault, self._folder) from fault
        return done

    def _as_left(self, file: Path, size: int) -> bool:
        """Whether the newest file is as this writer left it; an editor or a cleaning program may have been there."""
        files = trail_files(self._folder)
        return bool(files) and files[-1] == file and file.stat().st_size == size

    def _append(self, month: str, lines: list[tuple[int, str, str]], done: Flushed) -> None:
        files = trail_files(self._folder)
        file = file_of(self._folder, max(month, month_of(files[-1])) if files else month)
        handle = os.open(file, _FLAGS | os.O_CREAT, PRIVATE)
        try:
            crash_point("audit.opened")
            start = os.fstat(handle).st_size
            if not start:
                sync_folder(self._folder)
            try:
                size = start + _write(handle, b"".join(b"%b\n" % line.encode() for _, line, _ in lines))
                crash_point("audit.written")
                os.fsync(handle)
            except OSError:
                # Also after a fault of fsync: the pages count as clean then, and only writing anew brings them out.
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, start)
                raise
        finally:
            os.close(handle)
        crash_point("audit.synced")
        last = lines[-1][0]
        self._outbox.flushed(last)
        crash_point("audit.let_go")
        self._after, self._left = last, (file, size)
        done.written += len(lines)

    # -- what the last writer left ------------------------------------------------------------------------------------

    def _prepare(self, done: Flushed) -> None:
        """Compare the end of the files with the outbox, and mend what a crash has left unfinished."""
        if not self._folder.is_dir():
            self._folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
        first = self._outbox.unflushed(0, 1)
        head, head_hash = self._outbox.head()
        confirmed = first[0][0] - 1 if first else head
        last, beyond = self._end_of_trail(confirmed, head)
        known_hash = _previous_of(first[0][1]) if first else head_hash
        if last is not None and last.sequence == confirmed and last.hash != known_hash:
            raise _other_history(confirmed)
        reached = last.sequence if last is not None else 0
        if reached < confirmed:
            done.missing = (reached + 1, confirmed)
            # Somebody has made these of lines that the outbox let go of: they stay, as evidence.
            beyond = list(dropwhile(lambda piece: piece.whole and parse(piece.raw) is None, beyond))
        kept, bad = self._compare(confirmed, beyond)
        if bad:
            self._cut(bad, kept, done)
        if kept > confirmed:
            for file in {piece.file for piece in beyond}:
                _sync(file)
            self._outbox.flushed(kept)
        self._after = kept

    def _end_of_trail(self, confirmed: int, head: int) -> tuple[Line | None, list[Piece]]:
        """The last line that the outbox has let go of, and what stands behind it."""
        beyond: list[Piece] = []
        for piece in from_end(trail_files(self._folder)):
            line = parse(piece.raw)
            if line is not None and line.sequence > head:
                raise _other_history(head)
            if line is not None and line.sequence <= confirmed:
                if not piece.whole:
                    self._end_line(piece)
                return line, beyond[::-1]
            beyond.append(piece)
        return None, beyond[::-1]

    def _end_line(self, piece: Piece) -> None:
        """Give a complete line the line break that it has lost."""
        handle = os.open(piece.file, _FLAGS)
        try:
            _write(handle, b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)

    def _compare(self, confirmed: int, beyond: list[Piece]) -> tuple[int, list[Piece]]:
        """How far the outbox's lines stand in the files, and the pieces from the first that is none of them."""
        kept = confirmed
        waiting = self._waiting(confirmed)
        for place, piece in enumerate(beyond):
            sequence, raw = next(waiting, (0, b""))
            if not piece.whole or piece.raw != raw or not raw:
                return kept, beyond[place:]
            kept = sequence
        return kept, []

    def _waiting(self, after: int) -> Iterator[tuple[int, bytes]]:
        while lines := self._outbox.unflushed(after, _BATCH):
            for sequence, line, _ in lines:
                yield sequence, line.encode()
            after = lines[-1][0]

    def _cut(self, bad: list[Piece], kept: int, done: Flushed) -> None:
        """Take away what stands behind the last good line; what is no unfinished append is copied aside before."""
        for piece in bad:
            line = parse(piece.raw)
            if line is not None:
                held = self._outbox.unflushed(line.sequence - 1, 1)
                if not held or held[0][1].encode() != piece.raw:
                    raise _other_history(line.sequence)
        following = next(self._waiting(kept), (0, b""))[1]
        unfinished = len(bad) == 1 and not bad[0].whole and may_begin(following, bad[0].raw)
        begins: dict[Path, int] = {}
        for piece in bad:
            begins.setdefault(piece.file, piece.offset)
        for file, offset in sorted(begins.items(), reverse=True):
            if not unfinished:
                done.set_aside += (_set_aside(file, offset),)
            done.cut += file.stat().st_size - offset
            os.truncate(file, offset)
            _sync(file)
            crash_point("audit.cut")


def _previous_of(line: str) -> str:
    parsed = parse(line.encode())
    return parsed.previous if parsed is not None else ""


def _write(handle: int, data: bytes) -> int:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]
    return len(data)


def _set_aside(file: Path, offset: int) -> Path:
    """Copy the end of a file to one beside it."""
    copy = file.with_name(f"set-aside-{month_of(file)}-{offset}.txt")
    with file.open("rb") as source, copy.open("wb") as goal:
        source.seek(offset)
        while block := source.read(1 << 20):
            goal.write(block)
        goal.flush()
        os.fsync(goal.fileno())
    sync_folder(file.parent)
    return copy


def _sync(file: Path) -> None:
    handle = os.open(file, _FLAGS)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _other_history(sequence: int) -> Stop:
    return Stop(
        "The audit trail and the store do not belong together, so nothing was added to the trail.",
        why=f"From line {sequence} on, the files tell of changes that the store does not know: it was restored from a "
        "backup, or the folder comes from another installation.",
        fix="Put back store and audit folder from one backup, or confirm that the store goes on from what the trail "
        "tells.",
        code=IssueCode.STORE_BEHIND,
    )


def _as_problem(fault: OSError, folder: Path) -> ConnectorError:
    kept = "Nothing is lost: the lines wait in the store."
    says = f"The system says: {fault.strerror or fault}."
    if fault.errno in _NO_ROOM:
        return RetryLater(
            f"The audit trail cannot grow: there is no room for it in {folder}.",
            why=f"{says} {kept}",
            fix="Free some space on this disk. The lines are written by themselves then.",
            code=IssueCode.DISK_FULL,
        )
    if fault.errno in _NO_RIGHT:
        return NeedsUser(
            f"The audit trail cannot be written in {folder}.",
            why=f"{says} {kept}",
            fix="Give the account of the service the right to write there, and see that the disk is not read-only.",
            code="FOLDER_NOT_WRITABLE",
        )
    return RetryLater(
        f"The audit trail could not be written in {folder}.",
        why=f"{says} {kept}",
        fix="It is tried again by itself. If it stays so, have the disk checked.",
        code="AUDIT_NOT_WRITTEN",
    )
