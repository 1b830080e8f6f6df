"""Copies of the store, and putting one back. What a copy does not know, the audit trail puts back at the next start."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.files import replace_file, restrict
from connector_service.paths import Paths
from connector_service.store.database import APPLICATION_ID, Database
from connector_service.store.migrations import LATEST

_BESIDE: Final = ("-wal", "-shm")


def back_up(paths: Paths, database: Database, to: Path | None) -> Path:
    """Copy the store, which may be in use, into a file (else a new one among the backups); returns its path.

    Raises ``SettingsFault`` where there is nothing to copy or the file is there already, ``NeedsUser`` where it cannot
    be written.
    """
    if not paths.store_file.exists():
        raise SettingsFault("There is no store to back up yet.", fix="Sync a route first.", code="NOT_FOUND")
    goal = to or paths.backups_dir / f"store-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    if goal.exists():
        raise SettingsFault(f"{goal} is there already.", fix="Name another file.", code="NOT_POSSIBLE_NOW")
    try:
        database.backup(goal)
        restrict(goal)
    except (OSError, sqlite3.Error) as fault:
        raise NeedsUser(
            f"The backup could not be written to {goal}.",
            why=f"The system says: {fault}.",
            fix="Name a file in a folder that can be written and has room.",
            code="FOLDER_NOT_WRITABLE",
        ) from fault
    return goal


def newest(paths: Paths) -> Path | None:
    """The newest copy among the backups."""
    files = sorted(paths.backups_dir.glob("*.db"), key=lambda file: file.stat().st_mtime)
    return files[-1] if files else None


def refuse_unless_store(file: Path) -> None:
    """Raise ``SettingsFault`` where a file is no whole copy of a store that this version can read."""
    if not file.is_file():
        raise SettingsFault(f"There is no file {file}.", fix="Name a backup; see the folder backups.", code="NOT_FOUND")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            whole = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as fault:
        raise _no_backup(file, str(fault)) from fault
    if application != APPLICATION_ID:
        raise _no_backup(file, "it is the file of another program")
    if version > LATEST:
        raise _no_backup(file, f"it was made by a newer version ({version}; this program knows {LATEST})")
    if whole != "ok":
        raise _no_backup(file, f"its pages are damaged: {whole}")


def _no_backup(file: Path, why: str) -> SettingsFault:
    return SettingsFault(
        f"{file} cannot be restored.",
        why=f"It is no copy of a store that this program can use: {why}.",
        fix="Nothing was changed. Name another backup.",
        code="NOT_POSSIBLE_HERE",
    )


def put_in_place(paths: Paths, file: Path) -> Path | None:
    """Put a copy in the place of the store, under the folder's lock; returns where the present store was kept."""
    refuse_unless_store(file)
    data = file.read_bytes()
    kept: Path | None = None
    if paths.store_file.exists():
        kept = paths.backups_dir / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.db"
        kept.parent.mkdir(parents=True, exist_ok=True)
        for suffix in ("", *_BESIDE):
            part = paths.store_file.with_name(paths.store_file.name + suffix)
            if part.exists():
                shutil.copy2(part, kept.with_name(kept.name + suffix))
    for suffix in _BESIDE:
        paths.store_file.with_name(paths.store_file.name + suffix).unlink(missing_ok=True)
    replace_file(paths.store_file, data, private=True)
    return kept
