"""One process owns a data folder: a lock of the operating system, which ends with the process however it ends."""

import errno
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from connector_service.domain.problems import Busy, ConnectorError, NeedsUser, RetryLater
from connector_service.files import try_lock

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


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
            who = "Another process"
            if owner and "pid" in owner:
                who = f"Process {owner['pid']} ({owner.get('what', 'a command')})"
            raise Busy(
                "The data folder is in use.",
                why=f"{who} is working with {self._path.parent}.",
                fix="Wait until it has ended, or end it first. `connector sync --wait SECONDS` waits by itself.",
                code="BUSY",
            )
        self._file = file
        try:
            self._note.write_text(json.dumps({"pid": os.getpid(), **note}), encoding="utf-8")
        except OSError as fault:
            self.release()
            raise _no_note(self._note, fault) from fault

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
            with suppress(OSError):
                self._note.unlink(missing_ok=True)
            self._file.close()
            self._file = None


def _no_note(note: Path, fault: OSError) -> ConnectorError:
    if fault.errno in _NO_ROOM:
        return RetryLater(
            "The disk is full, so nothing was begun; nothing is lost.",
            why=f"There is no room in {note.parent}.",
            fix="Free some space, and try again.",
            code="DISK_FULL",
        )
    return NeedsUser(
        "The data folder cannot be written to.",
        why=f"{note}: {fault.strerror or fault}.",
        fix="Give this user the right to write there, or name another folder with --home.",
        code="FOLDER_NOT_WRITABLE",
    )
