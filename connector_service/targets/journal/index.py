"""A cache of what stands in the books, so that look-ups need not read them. It can be deleted at any time.

A file is known by its size, time of change, inode and the digest of its end; whatever differs is scanned again.

What we append ourselves is noted at once as how the file looks now, while the rows of its documents wait in memory and
are written together. ``read_to`` tells how far a file's rows are there: a process that finds them lagging behind reads
the rest of the file.
"""

import contextlib
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from connector_service.targets.journal.scanner import (
    Found,
    FoundAccount,
    FoundDocument,
    FoundInclude,
    scan,
)
from connector_service.targets.journal.tables import (
    APPLICATION,
    DOCUMENT_ROW,
    INSERT,
    INSERT_DOCUMENTS,
    ROWS,
    SCHEMA,
    SELECT_ROWS,
    VERSION,
    Row,
)
from connector_service.targets.journal.wire import OPENED

NAME: Final = ".index.db"
TAIL: Final = 4096
"""Bytes at the end of a file whose digest tells that it is still the file that was read."""
_CHUNK: Final = 500
_MOST_WAITING: Final = 2000
"""Documents whose rows may wait in memory; as many are scanned at most where a crash took them."""
_MOST_PLAIN: Final = 20_000
"""Names of accounts that are kept in memory."""


class Stamp(NamedTuple):
    """How a file looked when it was read or written."""

    size: int
    mtime: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "Stamp | None":
        """How it looks now; ``None`` where there is no such file."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        return cls.from_status(status)

    @classmethod
    def from_status(cls, status: os.stat_result) -> "Stamp":
        """How a file looks by its status; Windows has inodes that SQLite's integers cannot hold whole."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino & 0x7FFF_FFFF_FFFF_FFFF)


class Known(NamedTuple):
    """What the index knows of a file."""

    stamp: Stamp
    tail: bytes
    read_to: int
    """Where its rows end: less than its size where somebody's rows were still waiting."""


class _Waiting(NamedTuple):
    """Rows to be written: what stands in a stretch of a file."""

    begin: int
    end: int
    shift: int
    """What leads from the offsets of its documents to their places in the file."""
    found: Sequence[Found]


def tail_of(stream: BinaryIO, size: int) -> bytes:
    """The digest of the last bytes before ``size``."""
    stream.seek(max(0, size - TAIL))
    return digest_of(stream.read(min(size, TAIL)))


def digest_of(tail: bytes | memoryview) -> bytes:
    """The digest of a file's last bytes."""
    return blake2b(tail, digest_size=16).digest()


class Index:
    """The cache file. Raises ``sqlite3.Error`` where it is of no use; then it is deleted and made again."""

    def __init__(self, path: Path | None) -> None:
        """Open or make it; ``None`` makes one that lasts as long as this object, for a folder that is read-only."""
        # An empty name is SQLite's own temporary file: it spills to disk, so memory does not grow with the books.
        self._db = sqlite3.connect("" if path is None else path, isolation_level=None, check_same_thread=False)
        self._waiting: dict[str, list[_Waiting]] = {}
        """By file, in order and without gaps."""
        self._noted: dict[str, Stamp] = {}
        """How the files of waiting rows were left."""
        self._references: set[str] = set()
        """Of the documents whose rows wait."""
        self._plain: set[str] = set()
        """Accounts that are known to be open for everything."""
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.execute("pragma busy_timeout = 10000")
        self._db.execute("pragma journal_mode = wal")
        # A lost commit is noticed by the file's size; a durable one would cost more than the books themselves.
        self._db.execute("pragma synchronous = normal")
        self._db.execute("pragma temp_store = file")
        version = self._db.execute("pragma user_version").fetchone()[0]
        if version == VERSION:
            return
        if version or self._db.execute("select count(*) from sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError("made by another version")
        self._db.executescript(
            f"begin immediate; {SCHEMA} pragma application_id = {APPLICATION}; pragma user_version = {VERSION}; commit;"
        )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def close(self, *, write: bool = True) -> None:
        """Let go of the file, after writing the rows that wait."""
        try:
            if write:
                with contextlib.suppress(sqlite3.Error):  # they are read from the files then
                    self.write()
        finally:
            self._db.close()

    # Files

    def known(self) -> dict[str, Known]:
        """The files as they were when they were read or written. Forgets what is kept in memory of accounts."""
        self.write()
        self._plain.clear()
        rows = self._db.execute("select name, size, mtime, inode, tail, read_to from files")
        return {name: Known(Stamp(*stamp), tail, read_to) for name, *stamp, tail, read_to in rows}

    def includes(self, name: str) -> list[str]:
        """The patterns that a file includes."""
        row = self._db.execute("select includes from files where name = ?", (name,)).fetchone()
        return row[0].split("\n") if row and row[0] else []

    def forget(self, name: str) -> None:
        """A file is no longer part of the books."""
        row = self._db.execute("select id from files where name = ?", (name,)).fetchone()
        if row:
            for table in ("documents", "voids", "accounts", "attachments"):
                self._db.execute(f"delete from {table} where file = ?", row)  # noqa: S608 - names from the line above
            self._db.execute("delete from files where id = ?", row)

    def read(self, name: str, stream: BinaryIO, stamp: Stamp) -> None:
        """Scan a file anew. Within a transaction."""
        self.forget(name)
        file = self._db.execute(
            "insert into files(name, size, mtime, inode, tail, read_to, includes) values (?, ?, ?, ?, x'', 0, '')",
            (name, *stamp),
        ).lastrowid
        assert file is not None  # noqa: S101 - SQLite's promise for an insert
        self._read_from(file, 0, stream, stamp)

    def read_on(self, name: str, stream: BinaryIO, stamp: Stamp) -> None:
        """Scan what follows the rows that are there of a file that is as it was noted. Within a transaction."""
        # Looked up again: the process whose rows were missing may have written them meanwhile.
        file, read_to = self._db.execute("select id, read_to from files where name = ?", (name,)).fetchone()
        self._read_from(file, read_to, stream, stamp)

    def _read_from(self, file: int, begin: int, stream: BinaryIO, stamp: Stamp) -> None:
        includes: list[str] = []
        stream.seek(begin)
        found = scan(stream, begin)
        while part := list(islice(found, 2000)):
            includes += self._store(file, part)
        (before,) = self._db.execute("select includes from files where id = ?", (file,)).fetchone()
        self._db.execute(
            "update files set tail = ?, read_to = size, includes = ? where id = ?",
            (tail_of(stream, stamp.size), _joined(before, includes), file),
        )

    def grown(self, name: str, begin: int, stamp: Stamp, tail: bytes, found: Sequence[Found], shift: int) -> None:
        """Note what we appended ourselves from ``begin`` on; its rows may wait. Within a transaction."""
        changed = self._db.execute(
            "update files set size = ?, mtime = ?, inode = ?, tail = ? where name = ?", (*stamp, tail, name)
        )
        if not changed.rowcount:
            # A file that was there before it was a part of the books is read from its beginning.
            self._db.execute(
                "insert into files(name, size, mtime, inode, tail, read_to, includes) values (?, ?, ?, ?, ?, 0, '')",
                (name, *stamp, tail),
            )
        self._waiting.setdefault(name, []).append(_Waiting(begin, stamp.size, shift, found))
        self._noted[name] = stamp
        references = [item.reference for item in found if type(item) is FoundDocument]
        self._references.update(references)
        if len(references) < len(found):
            self._plain.update(item.account for item in found if type(item) is FoundAccount and _is_plain([item]))

    def is_full(self) -> bool:
        """Whether what waits should be written now: there is much of it, or it is no document or account."""
        return len(self._references) >= _MOST_WAITING or any(
            type(item) not in (FoundDocument, FoundAccount)
            for waiting in self._waiting.values()
            for item in waiting[-1].found[:1]
        )

    def write(self) -> bool:
        """Write the rows that wait; whether the index now holds all that was noted."""
        if not self._waiting:
            return True
        with self.transaction():
            complete = [self._write_file(name, waiting) for name, waiting in self._waiting.items()]
        self._waiting, self._noted, self._references = {}, {}, set()
        if len(self._plain) > _MOST_PLAIN:
            self._plain.clear()
        return all(complete)

    def _write_file(self, name: str, waiting: Sequence[_Waiting]) -> bool:
        row = self._db.execute(
            "select id, read_to, includes, size, mtime, inode from files where name = ?", (name,)
        ).fetchone()
        if row is None or Stamp(*row[3:]) != self._noted[name]:
            return True  # another process has been there since, and has read what is ours; we look again ourselves
        file, read_to, includes = row[:3]
        for one in waiting:
            if one.begin < read_to:
                continue  # another process has read it
            if one.begin > read_to:
                return False
            includes = _joined(includes, self._store(file, one.found, one.shift))
            read_to = one.end
        self._db.execute("update files set read_to = ?, includes = ? where id = ?", (read_to, includes, file))
        return bool(read_to == row[3])

    def _store(self, file: int, found: Sequence[Found], shift: int = 0) -> list[str]:
        documents = [item for item in found if type(item) is FoundDocument]
        for at in range(0, len(documents), ROWS):
            part = documents[at : at + ROWS]
            values = [value for item in part for value in (file, item[0] + shift, *item[1:])]
            self._db.execute(INSERT_DOCUMENTS + ", ".join([DOCUMENT_ROW] * len(part)), values)
        if len(documents) == len(found):
            return []
        for kind, statement in INSERT.items():
            self._db.executemany(statement, [(file, *item) for item in found if type(item) is kind])
        return [item.pattern for item in found if isinstance(item, FoundInclude)]

    # Questions

    def _many(self, before: str, values: Iterable[str], after: str = "") -> Iterator[tuple[object, ...]]:
        source = iter(dict.fromkeys(values))
        while part := list(islice(source, _CHUNK)):
            yield from self._db.execute(f"{before} in ({', '.join('?' * len(part))}) {after}", part)

    def by_reference(self, references: Iterable[str]) -> dict[str, list[Row]]:
        """Documents by external reference."""
        references = dict.fromkeys(references)
        if not self._references.isdisjoint(references) and not self.write():
            raise sqlite3.DatabaseError("rows are missing")
        rows: dict[str, list[Row]] = {}
        for found in map(Row._make, self._many(SELECT_ROWS + "where d.reference", references)):
            rows.setdefault(found.reference, []).append(found)
        return rows

    def by_number(self, numbers: Iterable[str]) -> dict[str, list[Row]]:
        """Documents of any kind by number."""
        rows: dict[str, list[Row]] = {}
        for found in map(Row._make, self._many(SELECT_ROWS + "where d.number <> '' and d.number", numbers)):
            rows.setdefault(found.number, []).append(found)
        return rows

    def page(self, kind: str, after: tuple[str, int], last: str, limit: int) -> list[Row]:
        """Documents of a kind by date, from the one after the given date and id."""
        return [
            Row._make(row)
            for row in self._db.execute(
                SELECT_ROWS + "where d.kind = ? and (d.day, d.id) > (?, ?) and d.day <= ? order by d.day, d.id limit ?",
                (kind, *after, last, limit),
            )
        ]

    def void_with(self, reference: str) -> str | None:
        """The document that was reversed under this reference."""
        row = self._db.execute("select of from voids where reference = ? and reference <> ''", (reference,)).fetchone()
        return row[0] if row else None

    def standing(self, accounts: Collection[str]) -> tuple[set[str], dict[str, list[FoundAccount]]]:
        """Which of these accounts are open for everything, and what the books say of others that are in them."""
        rows: dict[str, list[FoundAccount]] = {}
        asked = set(accounts)
        unknown = asked - self._plain
        if unknown:
            columns = "select account, opened, closed, currencies, kind, key, name from accounts where account"
            for found in map(FoundAccount._make, self._many(columns, unknown)):
                rows.setdefault(found.account, []).append(found)
            plain = [account for account, found in rows.items() if _is_plain(found)]
            for account in plain:
                del rows[account]
            self._plain.update(plain)
        return asked & self._plain, rows

    def accounts(self, after: str, limit: int) -> list[FoundAccount]:
        """Open accounts in the order of their names, from the one after the given name."""
        return [
            FoundAccount._make(row)
            for row in self._db.execute(
                "select account, max(opened), max(closed), max(currencies), max(kind), max(key), max(name) "
                "from accounts where account > ? and account like '%:%' "
                "group by account having max(opened) <> '' order by account limit ?",
                (after, limit),
            )
        ]

    def has_attachment(self, path: str) -> bool:
        """Whether a document directive names this file."""
        return self._db.execute("select 1 from attachments where path = ?", (path,)).fetchone() is not None


def _is_plain(rows: Sequence[FoundAccount]) -> bool:
    """Whether an account, or a commodity, is open for everything from the first day on."""
    return ":" not in rows[0].account or all(row.opened == OPENED and not row.currencies for row in rows)


def _joined(before: str, includes: Sequence[str]) -> str:
    return "\n".join(dict.fromkeys([*filter(None, before.split("\n")), *includes]))
