"""A cache of what stands in the books, so that look-ups need not read them. It can be deleted at any time.

A file is known by its size, time of change, inode and the digest of its end; whatever differs is scanned again.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from connector_service.targets.journal.scanner import (
    Found,
    FoundAccount,
    FoundAttachment,
    FoundDocument,
    FoundInclude,
    FoundVoid,
    scan,
)

NAME: Final = ".index.db"
TAIL: Final = 4096
"""Bytes at the end of a file whose digest tells that it is still the file that was read."""
_VERSION: Final = 1
_APPLICATION: Final = 0x434A4958
_CHUNK: Final = 500
_SCHEMA: Final = """
create table files(
    id integer primary key, name text not null unique, size integer not null, mtime integer not null,
    inode integer not null, tail blob not null, includes text not null);
create table documents(
    id integer primary key, file integer not null, offset integer not null, length integer not null,
    reference text not null, kind text not null, number text not null, party text not null, day text not null,
    total text not null, tax text not null, currency text not null);
create index document_reference on documents(reference);
create index document_number on documents(number) where number <> '';
create index document_day on documents(kind, day);
create table voids(file integer not null, of text not null, day text not null, reference text not null);
create index void_of on voids(of);
create index void_reference on voids(reference);
create table accounts(
    file integer not null, account text not null, opened text not null, closed text not null,
    currencies text not null, kind text not null, key text not null, name text not null);
create index account_name on accounts(account);
create table attachments(file integer not null, reference text not null, path text not null);
create index attachment_path on attachments(path);
"""
_INSERT: Final[dict[type, str]] = {
    FoundDocument: "insert into documents(file, offset, length, reference, kind, number, party, day, total, tax, "
    "currency) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    FoundVoid: "insert into voids(file, of, day, reference) values (?, ?, ?, ?)",
    FoundAccount: "insert into accounts(file, account, opened, closed, currencies, kind, key, name) "
    "values (?, ?, ?, ?, ?, ?, ?, ?)",
    FoundAttachment: "insert into attachments(file, reference, path) values (?, ?, ?)",
}


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


class Row(NamedTuple):
    """A document with the place where it stands."""

    id: int
    file: str
    offset: int
    length: int
    reference: str
    kind: str
    number: str
    party: str
    day: str
    total: str
    tax: str
    currency: str
    void: int


_ROW: Final = (
    "select d.id, f.name, d.offset, d.length, d.reference, d.kind, d.number, d.party, d.day, d.total, d.tax, "
    "d.currency, d.reference <> '' and exists(select 1 from voids v where v.of = d.reference) and "
    # A document that was reversed may have been booked again: as many as were reversed are void, the oldest first.
    "(select count(*) from voids v where v.of = d.reference and v.day = d.day) > (select count(*) from documents e "
    "where e.reference = d.reference and e.day = d.day and e.id < d.id) "
    "from documents d join files f on f.id = d.file "
)


def tail_of(stream: BinaryIO, size: int) -> bytes:
    """The digest of the last bytes before ``size``."""
    stream.seek(max(0, size - TAIL))
    return blake2b(stream.read(min(size, TAIL)), digest_size=16).digest()


class Index:
    """The cache file. Raises ``sqlite3.Error`` where it is of no use; then it is deleted and made again."""

    def __init__(self, path: Path | None) -> None:
        """Open or make it; ``None`` makes one that lasts as long as this object, for a folder that is read-only."""
        # An empty name is SQLite's own temporary file: it spills to disk, so memory does not grow with the books.
        self._db = sqlite3.connect("" if path is None else path, isolation_level=None, check_same_thread=False)
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
        if version == _VERSION:
            return
        if version or self._db.execute("select count(*) from sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError("made by another version")
        self._db.executescript(
            f"begin immediate; {_SCHEMA} pragma application_id = {_APPLICATION}; "
            f"pragma user_version = {_VERSION}; commit;"
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

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # Files

    def stamps(self) -> dict[str, Stamp]:
        """The files as they were when they were read."""
        return {row[0]: Stamp(*row[1:]) for row in self._db.execute("select name, size, mtime, inode from files")}

    def includes(self, name: str) -> list[str]:
        """The patterns that a file includes."""
        row = self._db.execute("select includes from files where name = ?", (name,)).fetchone()
        return row[0].split("\n") if row and row[0] else []

    def tail(self, name: str) -> bytes:
        """The digest of a file's end."""
        row = self._db.execute("select tail from files where name = ?", (name,)).fetchone()
        return row[0] if row else b""

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
            "insert into files(name, size, mtime, inode, tail, includes) values (?, ?, ?, ?, x'', '')", (name, *stamp)
        ).lastrowid
        assert file is not None  # noqa: S101 - SQLite's promise for an insert
        includes: list[str] = []
        found = scan(stream)
        while part := list(islice(found, 2000)):
            includes += self._store(file, part)
        self._db.execute(
            "update files set tail = ?, includes = ? where id = ?",
            (tail_of(stream, stamp.size), "\n".join(includes), file),
        )

    def grown(self, name: str, stamp: Stamp, tail: bytes, found: Sequence[Found]) -> None:
        """Note what we appended ourselves. Within a transaction."""
        row = self._db.execute("select id, includes from files where name = ?", (name,)).fetchone()
        if row is None:
            self._db.execute(
                "insert into files(name, size, mtime, inode, tail, includes) values (?, 0, 0, 0, x'', '')", (name,)
            )
            row = self._db.execute("select id, includes from files where name = ?", (name,)).fetchone()
        includes = [*filter(None, row[1].split("\n")), *self._store(row[0], found)]
        self._db.execute(
            "update files set size = ?, mtime = ?, inode = ?, tail = ?, includes = ? where id = ?",
            (*stamp, tail, "\n".join(includes), row[0]),
        )

    def _store(self, file: int, found: Sequence[Found]) -> list[str]:
        for kind, statement in _INSERT.items():
            rows = [(file, *item) for item in found if type(item) is kind]
            if rows:
                self._db.executemany(statement, rows)
        return [item.pattern for item in found if isinstance(item, FoundInclude)]

    # Questions

    def _many(self, before: str, values: Iterable[str], after: str = "") -> Iterator[tuple[object, ...]]:
        source = iter(dict.fromkeys(values))
        while part := list(islice(source, _CHUNK)):
            yield from self._db.execute(f"{before} in ({', '.join('?' * len(part))}) {after}", part)

    def by_reference(self, references: Iterable[str]) -> dict[str, list[Row]]:
        """Documents by external reference."""
        rows: dict[str, list[Row]] = {}
        for found in map(Row._make, self._many(_ROW + "where d.reference", references)):
            rows.setdefault(found.reference, []).append(found)
        return rows

    def by_number(self, numbers: Iterable[str]) -> dict[str, list[Row]]:
        """Documents of any kind by number."""
        rows: dict[str, list[Row]] = {}
        for found in map(Row._make, self._many(_ROW + "where d.number <> '' and d.number", numbers)):
            rows.setdefault(found.number, []).append(found)
        return rows

    def page(self, kind: str, after: tuple[str, int], last: str, limit: int) -> list[Row]:
        """Documents of a kind by date, from the one after the given date and id."""
        return [
            Row._make(row)
            for row in self._db.execute(
                _ROW + "where d.kind = ? and (d.day, d.id) > (?, ?) and d.day <= ? order by d.day, d.id limit ?",
                (kind, *after, last, limit),
            )
        ]

    def void_with(self, reference: str) -> str | None:
        """The document that was reversed under this reference."""
        row = self._db.execute("select of from voids where reference = ? and reference <> ''", (reference,)).fetchone()
        return row[0] if row else None

    def opened(self, accounts: Iterable[str]) -> dict[str, list[FoundAccount]]:
        """What the books say about these accounts: when they are opened and closed."""
        rows: dict[str, list[FoundAccount]] = {}
        columns = "select account, opened, closed, currencies, kind, key, name from accounts where account"
        for found in map(FoundAccount._make, self._many(columns, accounts)):
            rows.setdefault(found.account, []).append(found)
        return rows

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
