"""One process owns a data folder: a lock of the operating system, which ends with the process however it ends."""

import json
import os
from pathlib import Path
from typing import IO, Any

from connector_service.domain.problems import Busy, NeedsUser
from connector_service.files import try_lock


class FolderLock:
    """The lock on a data folder, with a note beside it of who holds it."""

    def __init__(self, path: Path) -> None:
        """Work with this lock file; nothing is taken yet."""
        self._path = path
        self._note = path.with_name(path.name + ".owner")
        self._file: IO[bytes] | None = None

    def take(self, **note: Any) -> None:
        """Take the lock, or raise ``Busy`` with who holds it. ``note`` is what others may read of the holder."""
        try:
            file = self._path.open("ab")
        except OSError as fault:
            raise NeedsUser(
                "The data folder cannot be written to.",
                why=f"{self._path}: {fault.strerror or fault}.",
                fix="Give this user the right to write there, or name another folder with --home.",
                code="FOLDER_NOT_WRITABLE",
            ) from fault
        if not try_lock(file):
            file.close()
            owner = self.owner()
            who = f"Process {owner['pid']} ({owner.get('what', 'a command')})" if owner else "Another process"
            raise Busy(
                "The data folder is in use.",
                why=f"{who} is working with {self._path.parent}.",
                fix="Wait until it has ended, or end it first. `connector sync --wait SECONDS` waits by itself.",
                code="BUSY",
            )
        self._file = file
        self._note.write_text(json.dumps({"pid": os.getpid(), **note}), encoding="utf-8")

    def owner(self) -> dict[str, Any] | None:
        """Who holds the lock now; ``None`` where nobody does."""
        if self._file is None:
            if not self._path.exists():
                return None
            try:
                with self._path.open("ab") as file:
                    if try_lock(file):
                        return None
            except OSError:
                return None
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def release(self) -> None:
        """Let go of the lock."""
        if self._file is not None:
            self._note.unlink(missing_ok=True)
            self._file.close()
            self._file = None
