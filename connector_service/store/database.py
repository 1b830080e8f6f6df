"""Opening the store: layout, backup before a change of it, what to do with a file that is foreign or damaged."""

import errno
import shutil
import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from connector_service.domain.problems import ConnectorError, NeedsUser, RetryLater
from connector_service.domain.status_codes import FaultCode, IssueCode
from connector_service.store.migrations import LATEST, MIGRATIONS

APPLICATION_ID: Final = 0x436E5376
"""Written into the file's header ("CnSv"), so that another program's SQLite file is told apart."""
_NO_ROOM: Final = 1 << 20
"""Bytes left on a disk under which a write that broke off is taken for one that found no room."""
_ENDED: Final = ("no transaction is active", "no such savepoint")
"""What a rollback says of a transaction that is over already."""

_PRAGMAS: Final = {
    "journal_mode": "wal",
    # A commit that a power cut takes back could be an intent whose document is in the books: each is forced to disk.
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 15000,
    "temp_store": "memory",
    "cache_size": -16384,
}


class StoreDamaged(NeedsUser):
    """The store's file cannot be used; ``aside`` is where it was moved, if it was."""

    def __init__(self, what: str, *, why: str, fix: str, aside: Path | None = None) -> None:
        """Keep the parts and the place of the file."""
        super().__init__(what, why=why, fix=fix, code=IssueCode.STORE_SET_ASIDE)
        self.aside = aside


class Database:
    """The store's file and its connections: one a thread; one writer at a time."""

    def __init__(self, path: Path, backups: Path, read_only: bool = False) -> None:
        """Open the file, making it or bringing its layout up to date (with a backup before) unless ``read_only``.

        Raises ``StoreDamaged`` for a file that is foreign, damaged or of a newer version; ``ConnectorError`` where the
        folder cannot be written.
        """
        self.path = path
        self._backups = backups
        self._any: Any
        self._write_lock = threading.RLock()
        self.aside: Path | None = None
        """Where a file that could not be used was moved, if there was one."""
        self.aside_reason = ""
        """Why it could not be used."""
        if read_only:
            self._any = Reader(path)
            try:
                with translated(path):
                    self._check_version()
            except OSError as fault:
                raise _folder_in_words(path, fault) from fault
            return
        from peewee import SqliteDatabase  # takes 200 ms with its drivers, and who only reads can do without

        # peewee's own methods carry no types.
        self._any = SqliteDatabase(str(path), pragmas=_PRAGMAS, autoconnect=True)
        try:
            self._set_aside_if_unusable()
            with translated(path):
                self._migrate()
        except OSError as fault:
            raise _folder_in_words(path, fault) from fault

    def _set_aside_if_unusable(self) -> None:
        if not self.path.exists() or self.path.stat().st_size == 0:
            return
        reason = _why_unusable(self.path)
        if not reason:
            return
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = self.path.with_name(f"{self.path.stem}.set-aside-{stamp}{self.path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.replace(aside.with_name(aside.name + suffix))
        self.aside = aside
        self.aside_reason = reason

    def _check_version(self) -> None:
        version = self._version()
        if version != LATEST:
            raise NeedsUser(
                "The store has another version than this program.",
                why=f"It has version {version}; this program reads version {LATEST}.",
                fix="Start the service, or run any command that writes, so that the store is brought up to date.",
            )

    def _version(self) -> int:
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self) -> None:
        version = self._version()
        if version > LATEST:
            raise StoreDamaged(
                "The store was written by a newer version of this program.",
                why=f"It has version {version}; this program knows versions up to {LATEST}.",
                fix="Install the newer version again, or restore a backup made by this one: `connector restore`.",
            )
        if version == LATEST:
            return
        if version:
            self.backup(self._backups / f"before-version-{LATEST}-{datetime.now(UTC):%Y%m%dT%H%M%S}.db")
        for number, statements in MIGRATIONS:
            if number <= version:
                continue
            with self.write():
                for statement in statements:
                    self.execute(statement)
                self.execute(f"PRAGMA user_version = {number}")
                self.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement on this thread's connection; raises as the opening does where the file is at fault."""
        try:
            return cast(sqlite3.Cursor, self._any.execute_sql(sql, parameters))
        except _faults() as fault:
            raise _in_words(self.path, str(fault)) from fault

    def execute_many(self, sql: str, rows: Any) -> int:
        """Run one statement for each row, streaming; returns how many rows of the table it changed."""
        cursor = self._any.cursor()
        cursor.executemany(sql, rows)
        return int(cursor.rowcount)

    @contextmanager
    def write(self) -> Iterator[None]:
        """A short transaction of the one writer; whole or not at all."""
        with self._write_lock, translated(self.path), self._any.atomic("IMMEDIATE"):
            yield

    def backup(self, to: Path) -> Path:
        """Copy the store as it stands into a file, while it may be in use."""
        to.parent.mkdir(parents=True, exist_ok=True)
        part = to.with_name(to.name + ".part")
        target = sqlite3.connect(part)
        try:
            self._any.connection().backup(target)
        finally:
            target.close()
        part.replace(to)
        return to

    def close(self) -> None:
        """Let go of this thread's connection."""
        self._any.close()


class Reader:
    """A connection a thread that cannot write; where there is no file yet, an empty store in memory."""

    def __init__(self, path: Path) -> None:
        """Connections are made as threads need them."""
        self._path = path
        self._local = threading.local()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
        return found

    def _connect(self) -> sqlite3.Connection:
        if self._path.exists():
            address = f"{self._path.resolve().as_uri()}?mode=ro"
            found = sqlite3.connect(address, uri=True, timeout=15, isolation_level=None)
            if found.execute("PRAGMA user_version").fetchone()[0] or _has_tables(found):
                return found
            found.close()  # its first process is about to make it
        empty = sqlite3.connect(":memory:", isolation_level=None)
        for number, statements in MIGRATIONS:
            for statement in statements:
                empty.execute(statement)
            empty.execute(f"PRAGMA user_version = {number}")
        return empty

    def execute_sql(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        with translated(self._path):
            return self.connection().execute(sql, parameters)

    def close(self) -> None:
        """Let go of this thread's connection."""
        found = getattr(self._local, "connection", None)
        if found is not None:
            found.close()
            self._local.connection = None


def _has_tables(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the database's faults into words."""
    try:
        yield
    except _faults() as fault:
        first = _first(fault)
        if isinstance(first, ConnectorError):
            raise first from fault.__cause__
        raise _in_words(path, str(first)) from fault


def _first(fault: BaseException) -> BaseException:
    """What led to a fault: SQLite itself ends a transaction where the disk is full, and the rollback then finds none.

    See "Response To Errors Within A Transaction" in https://www.sqlite.org/lang_transaction.html.
    """
    while any(text in str(fault) for text in _ENDED) and fault.__context__ is not None:
        fault = fault.__context__
    return fault


def _faults() -> tuple[type[Exception], ...]:
    library = sys.modules.get("peewee")
    return (sqlite3.Error,) if library is None else (sqlite3.Error, library.DatabaseError)


def _folder_in_words(path: Path, fault: OSError) -> ConnectorError:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return _in_words(path, "disk full")
    return NeedsUser(
        "The data folder cannot be written to.",
        why=f"{fault.filename or path}: {fault.strerror or fault}.",
        fix="Give the user that runs the service the right to write there, or choose another folder with --home.",
        code=FaultCode.FOLDER_NOT_WRITABLE,
    )


def _free(path: Path) -> int:
    """Bytes left on the disk; as good as no end of them where the folder cannot even be asked."""
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return sys.maxsize


def _in_words(path: Path, text: str) -> ConnectorError:
    lower = text.lower()
    # On a full disk SQLite says of some of its files, such as the one for shared memory, only that writing broke off.
    if "full" in lower or ("i/o" in lower and _free(path) < _NO_ROOM):
        return RetryLater(
            "The disk is full, so nothing more was recorded; nothing is lost.",
            why=f"{path.parent} has {_free(path) // 1024} KiB left.",
            fix="Free some space. The next run goes on where this one stopped.",
            code=IssueCode.DISK_FULL,
        )
    if "readonly" in lower or "read-only" in lower or "unable to open" in lower:
        return NeedsUser(
            "The data folder cannot be written to.",
            why=f"{path} is read-only for this user ({text}).",
            fix="Give the user that runs the service the right to write there, or choose another folder with --home.",
            code=FaultCode.FOLDER_NOT_WRITABLE,
        )
    if "locked" in lower or "busy" in lower:
        return RetryLater("The store is busy.", why=text, fix="Try again in a moment.")
    if "i/o" in lower:
        return RetryLater(
            "The disk did not do what it was asked to; nothing is lost.",
            why=f"Work on {path} broke off ({text}): a limit on the size of files, or a disk that is failing.",
            fix="See that the disk is sound and this user may write files of any size. The next run tries again.",
            code=FaultCode.FOLDER_NOT_WRITABLE,
        )
    return StoreDamaged(
        "The store cannot be read.",
        why=f"{path}: {text}.",
        fix="Restore the last backup with `connector restore`, or start again: the damaged file is kept.",
    )


def _why_unusable(path: Path) -> str:
    """Why a file that is there cannot be the store; empty where it can."""
    try:
        connection = sqlite3.connect(f"file:{path.as_posix()}?mode=rw", uri=True, timeout=15)
    except sqlite3.Error as fault:
        return "" if "unable to open" in str(fault) else str(fault)
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != APPLICATION_ID and (version or tables):
            return "it is the file of another program"
        if path.stat().st_size > _QUICK_CHECK_BYTES:
            return ""
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        return "" if verdict == "ok" else f"its pages are damaged ({verdict})"
    except sqlite3.DatabaseError as fault:
        text = str(fault)
        return (
            "" if "locked" in text or "readonly" in text or "unable to open" in text else f"it is not a store ({text})"
        )
    finally:
        connection.close()


# Larger stores are not looked through at each start: a damaged page shows itself when it is read, and is reported then.
_QUICK_CHECK_BYTES: Final = 16 * 1024 * 1024
