"""The folder of the books: its lock, its files, and the index that is kept beside them."""

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from connector_service.contract.crashpoints import crash_point
from connector_service.domain.problems import Busy
from connector_service.files import SHARED, exclusive
from connector_service.targets.journal import faults
from connector_service.targets.journal.appending import HalfWritten, Part, append, has_pending, repair
from connector_service.targets.journal.index import NAME, Index, Stamp, tail_of

MAIN: Final = "main.beancount"
ACCOUNTS: Final = "accounts.beancount"
PARTIES: Final = "parties.beancount"
DOCUMENTS: Final = "documents"
_LOCK: Final = ".lock"
_PATIENCE_SECONDS: Final = 10

_Answer = TypeVar("_Answer")


class Books:
    """The books in a folder. Nothing is read before something is asked."""

    def __init__(self, folder: Path, patience: int = _PATIENCE_SECONDS) -> None:
        """Name the folder; ``patience`` is how many seconds another program's hold is waited for."""
        self.folder = folder
        self._patience = patience
        self._thread = threading.RLock()
        self._index: Index | None = None
        self._index_inode = 0
        self._seen: dict[str, Stamp] = {}
        """The files as they were when the index was last known to hold all of them."""

    def close(self) -> None:
        """Let go of the index."""
        with self._thread:
            if self._index is not None:
                self._index.close()
                self._index = None
                self._seen = {}

    def ask(self, question: Callable[[Index], _Answer]) -> _Answer:
        """Ask the index, after it has been brought up to date with the files. Raises ``ConnectorError``."""
        return self._with_index(question, change=False)

    def change(self, work: Callable[[Index], _Answer], *, in_series: bool = False) -> _Answer:
        """Do work under the books' lock; it may call ``append``, last. Raises ``ConnectorError``.

        Work that comes ``in_series`` asks for documents by their reference and for accounts only: what waits to be
        written into the index may wait on then.
        """
        return self._with_index(work, change=True, in_series=in_series)

    def _with_index(self, work: Callable[[Index], _Answer], *, change: bool, in_series: bool = False) -> _Answer:
        with self._thread:
            try:
                try:
                    return self._once(work, change=change, in_series=in_series)
                except sqlite3.DatabaseError as fault:
                    if faults.is_lasting(fault):
                        raise
                    # The index is damaged, or of another version: the files are the truth, so it is made again.
                    self._drop_index()
                    return self._once(work, change=change, in_series=in_series)
            except Busy:
                raise faults.locked(self.folder) from None
            except HalfWritten:
                self._seen = {}
                raise
            except (OSError, sqlite3.Error) as fault:
                self._seen = {}
                raise faults.translate(fault, self.folder) from fault

    def _once(self, work: Callable[[Index], _Answer], *, change: bool, in_series: bool) -> _Answer:
        if change:
            with exclusive(self.folder / _LOCK, patience_seconds=self._patience, rights=SHARED):
                return work(self._fresh(locked=True, in_series=in_series))
        return work(self._fresh(locked=False))

    # Files

    def append(self, index: Index, parts: Sequence[Part]) -> None:
        """Append to the files and note it in the index. Within ``change``; raises ``OSError`` and ``HalfWritten``."""
        done = append(self.folder, parts)
        crash_point("journal.before_index")
        # What is in the files is booked. The index may fail: it is then made again from them.
        try:
            with index.transaction():
                for one in done:
                    shift = one.offset + one.part.shift
                    index.grown(one.part.file, one.before, one.stamp, one.tail, one.part.found, shift)
            crash_point("journal.before_rows")
            if index.is_full() and not index.write():
                self._seen = {}
                return
        except sqlite3.Error:
            self._drop_index()
            return
        for one in done:
            self._seen[one.part.file] = one.stamp

    def belongs(self, name: str) -> bool:
        """Whether a file is included in the books. Within ``ask`` or ``change``."""
        return name in self._seen

    def read(self, name: str, offset: int, length: int) -> bytes:
        """A stretch of a file."""
        with (self.folder / name).open("rb") as stream:
            stream.seek(offset)
            return stream.read(length)

    # Index

    def _let_go(self) -> None:
        if self._index is not None:
            self._index.close(write=False)
        self._index, self._seen = None, {}

    def _open_index(self) -> Index:
        path = self.folder / NAME
        if self._index is not None and self._index_inode and _inode(path) != self._index_inode:
            self._let_go()  # deleted, or made again by another program
        if self._index is None:
            try:
                self._index = Index(path)
            except sqlite3.DatabaseError as fault:
                if faults.is_read_only(fault):
                    self._index = Index(None)
                elif faults.is_lasting(fault):
                    raise
                else:
                    self._drop_index()
                    self._index = Index(path)
            self._index_inode = _inode(path)
        return self._index

    def _drop_index(self) -> None:
        self._let_go()
        for suffix in ("", "-wal", "-shm", "-journal"):
            (self.folder / f"{NAME}{suffix}").unlink(missing_ok=True)

    def _fresh(self, *, locked: bool, in_series: bool = False) -> Index:
        if not self.folder.is_dir():
            raise FileNotFoundError(f"There is no folder {self.folder}")
        index = self._open_index()
        if not in_series and not index.write():
            self._seen = {}
        pending = has_pending(self.folder)
        if not pending and self._seen and self._unchanged():
            return index
        if locked:
            self._bring_up_to_date(index, pending=pending)
            return index
        try:
            with exclusive(self.folder / _LOCK, patience_seconds=self._patience, rights=SHARED):
                self._bring_up_to_date(index, pending=has_pending(self.folder))
                return index
        except OSError as fault:
            if not faults.is_read_only(fault):
                raise
        # The folder is read-only for us: look at what is there, with an index of our own.
        if self._index_inode:
            self._let_go()
            index = self._index = Index(None)
            self._index_inode = 0
        self._bring_up_to_date(index, pending=False)
        return index

    def _unchanged(self) -> bool:
        return MAIN in self._seen and all(Stamp.of(self.folder / name) == stamp for name, stamp in self._seen.items())

    def _bring_up_to_date(self, index: Index, *, pending: bool) -> None:
        if pending:
            repair(self.folder)
        known = index.known()
        seen: dict[str, Stamp] = {}
        waiting = [MAIN]
        while waiting:
            name = waiting.pop()
            stamp = None if name in seen else Stamp.of(self.folder / name)
            if stamp is None:
                continue
            before = known.get(name)
            # The end is looked at once in the life of this object, and again for whatever changed.
            same = before is not None and before.stamp == stamp
            if before is None or not same or (name not in self._seen and self._tail(name, stamp) != before.tail):
                stamp = self._scan(index, name)
            elif before.read_to < stamp.size:
                stamp = self._scan(index, name, stamp)
            seen[name] = stamp
            for pattern in index.includes(name):
                waiting.extend(expand(self.folder, name, pattern))
        for name in known.keys() - seen.keys():
            with index.transaction():
                index.forget(name)
        self._seen = seen

    def _tail(self, name: str, stamp: Stamp) -> bytes:
        with (self.folder / name).open("rb") as stream:
            return tail_of(stream, stamp.size)

    def _scan(self, index: Index, name: str, as_noted: Stamp | None = None) -> Stamp:
        """Read a file: only what lacks rows, where it is still as it was noted."""
        with (self.folder / name).open("rb") as stream, index.transaction():
            stamp = Stamp.from_status(os.fstat(stream.fileno()))
            if stamp == as_noted:
                index.read_on(name, stream, stamp)
            else:
                index.read(name, stream, stamp)
        return stamp


def expand(folder: Path, name: str, pattern: str) -> list[str]:
    """The files that an include in the file ``name`` stands for, relative to the folder of the books."""
    path = Path(os.path.normpath(Path(name).parent / pattern))
    if not any(char in pattern for char in "*?["):
        return [path.as_posix()]
    base = Path(path.anchor) if path.anchor else folder
    return sorted(
        (found if path.anchor else found.relative_to(folder)).as_posix()
        for found in base.glob(str(path.relative_to(path.anchor)))
    )


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
