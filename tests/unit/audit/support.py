"""A trail to test on: an outbox in SQLite, as a store keeps it, and files filled from it."""

import os
import sqlite3
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connector_service.audit.chain import Chain
from connector_service.audit.flush import Flusher
from connector_service.contract.journal import Event

KEY = bytes(range(32))
START = datetime(2026, 1, 30, 12, tzinfo=UTC)


class Outbox:
    """What the audit trail needs of a store."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.database = sqlite3.connect(path)
        with self.database:
            self.database.execute(
                "CREATE TABLE IF NOT EXISTS event (sequence INTEGER PRIMARY KEY, line TEXT, hash TEXT)"
            )
            self.database.execute("CREATE TABLE IF NOT EXISTS head (sequence INTEGER, hash TEXT)")

    def add(self, chain: Chain, events: Iterable[tuple[datetime, Event]]) -> None:
        sequence, digest = self.head()
        with self.database:
            for moment, event in events:
                sequence += 1
                line, digest = chain.seal(sequence, digest, moment, event)
                self.database.execute("INSERT INTO event VALUES (?, ?, ?)", (sequence, line, digest))
            self.set_head(sequence, digest)

    def set_head(self, sequence: int, digest: str) -> None:
        with self.database:
            self.database.execute("DELETE FROM head")
            self.database.execute("INSERT INTO head VALUES (?, ?)", (sequence, digest))

    def unflushed(self, after: int, limit: int) -> list[tuple[int, str, str]]:
        return self.database.execute(
            "SELECT * FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?", (after, limit)
        ).fetchall()

    def flushed(self, up_to: int) -> None:
        with self.database:
            self.database.execute("DELETE FROM event WHERE sequence <= ?", (up_to,))

    def head(self) -> tuple[int, str]:
        found = self.database.execute("SELECT * FROM head").fetchone()
        return found or (0, "")


def exported(number: int, **more: object) -> Event:
    """An invoice that was booked."""
    details = {"fingerprint": f"{number:032x}", "generation": 0, "date": "2026-01-30", **more}
    return Event(
        "exported",
        "main",
        "service",
        7,
        "p1",
        "sales_invoice",
        "",
        f"key-{number}",
        f"INV-{number}",
        "sending",
        "exported",
        f"{number}.10",
        "EUR",
        f"r-{number}",
        details,
    )


def moments(steps: Iterable[int]) -> Iterable[datetime]:
    """Moments that many days apart."""
    moment = START
    for step in steps:
        yield moment
        moment += timedelta(days=step)


def filled(folder: Path, steps: Iterable[int], key: bytes = KEY, outbox: Outbox | None = None) -> Outbox:
    """An outbox whose lines, a number of days apart each, were flushed to files in ``folder``."""
    outbox = outbox or Outbox()
    first = outbox.head()[0] + 1
    outbox.add(Chain(key), ((when, exported(number)) for number, when in enumerate(moments(steps), first)))
    Flusher(outbox, folder).flush()
    return outbox


def fast_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where the system has such a place: properties make hundreds of trails."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else None)


def files_of(folder: Path) -> list[Path]:
    """The files of the trail, in order."""
    return sorted(folder.glob("trail-*.jsonl"))


def lines_of(folder: Path) -> list[bytes]:
    """All lines of all files."""
    return [line for file in files_of(folder) for line in file.read_bytes().splitlines(keepends=True)]
