"""The drop folder itself: what lies in it, claiming, and putting away. The only module here that moves files.

A file goes ``folder/`` -> ``.taken/<batch>/`` -> ``done/<day>/`` or ``rejected/``, each time by one rename. Whatever is
found in ``.taken/`` after a crash is read again; the identity of its records keeps them from being booked twice.
"""

import contextlib
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from connector_service.contract.crashpoints import crash_point
from connector_service.domain.problems import NeedsUser, RetryLater
from connector_service.files import SHARED, put_file
from connector_service.sources.folder.names import numbered, safe_name
from connector_service.sources.folder.safexml import plain
from connector_service.sources.folder.wire import NotYet, Unfit

TAKEN: Final = ".taken"
DONE: Final = "done"
REJECTED: Final = "rejected"
ATTACHMENTS: Final = "attachments"
"""Lies in ``done/``; holds the files that invoices carried."""

MAX_FILE_BYTES: Final = 50 * 1024 * 1024
"""Larger files are refused unread, where the settings say nothing else."""
SETTLE_SECONDS: Final = 2.0
"""How long a file must have been left alone, where the settings say nothing else."""
EMPTY_SETTLE_SECONDS: Final = 60.0
"""How long an empty file is waited for: some programs make a file long before they fill it."""

# Names of files that are still being written, locked or of the system's own.
_PASSING_PREFIXES: Final = (".", "~$", "~")
_PASSING_SUFFIXES: Final = (
    ".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".opdownload", ".swp", ".lock",
)  # fmt: skip
_PASSING_NAMES: Final = frozenset({"thumbs.db", "desktop.ini"})
_ENDS: Final = 4096


def is_passing(name: str) -> bool:
    """Whether a file of this name is left alone: temporary, locked, hidden or the system's own."""
    low = name.lower()
    return low.startswith(_PASSING_PREFIXES) or low.endswith(_PASSING_SUFFIXES) or low in _PASSING_NAMES


@dataclass(frozen=True, slots=True)
class Taken:
    """A claimed file."""

    path: Path
    name: str
    put_away: bool = False
    """Whether it lies where it belongs already, and is only read again."""


_PATIENCE_SECONDS: Final = 3.0
"""A run waits for files to settle where that takes no longer than this; else the next run takes them."""
_LOOK_SECONDS: Final = 0.1
"""How often a file is looked at that has not settled yet."""


class DropFolder:
    """A folder from which files are taken, one owner at a time."""

    def __init__(
        self,
        folder: Path,
        zone: tzinfo,
        settle_seconds: float = SETTLE_SECONDS,
        max_bytes: int = MAX_FILE_BYTES,
        peek: bool = False,
    ) -> None:
        """Touches nothing; ``zone`` gives the day under which files are put away; ``peek`` leaves all where it is."""
        self._peek = peek
        self.folder = folder
        self._zone = zone
        self.settle_seconds = settle_seconds
        self._max = max_bytes
        self._looks: dict[str, tuple[int, int, float]] = {}

    @property
    def attachments(self) -> Path:
        """Where files that invoices carry are kept."""
        return self.folder / DONE / ATTACHMENTS

    def check(self) -> None:
        """Raise ``ConnectorError`` where the folder cannot be used; writes nothing."""
        try:
            if not self.folder.is_dir():
                raise self._missing()
            with os.scandir(self.folder) as entries:
                next(entries, None)
        except OSError as error:
            raise self._unusable(error) from error
        effective = os.access in os.supports_effective_ids
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=effective):
            raise self._unusable(PermissionError(13, "no right to write"))
        for name in (TAKEN, DONE, REJECTED):
            self._own(name)

    def take(self) -> list[Taken]:
        """Claim what has settled, and return it with whatever was claimed before and not put away yet, oldest first."""
        try:
            if not self.folder.is_dir():
                raise self._missing()
            self._wait_for_unsettled()
            if self._peek:
                return [*self._claimed(), *self._settled()]
            self._claim()
            return list(self._claimed())
        except OSError as error:
            raise self._unusable(error) from error

    def read(self, taken: Taken) -> bytes:
        """The bytes of a claimed file; raises ``NotYet`` while it changes or if it has gone, else ``Unfit``."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            self._must_be_plain(os.lstat(taken.path))
            handle = os.open(taken.path, flags)
        except FileNotFoundError as error:
            raise NotYet(taken.name) from error
        except PermissionError as error:
            raise Unfit(
                "The file may not be read: the account under which the connector runs has no right to it.",
                "Give that account the right to read the file, and drop it again.",
            ) from error
        except OSError as error:
            raise NotYet(taken.name) from error
        with os.fdopen(handle, "rb") as stream:
            before = os.fstat(handle)
            self._must_be_plain(before)
            try:
                data = stream.read(self._max + 1)
            except OSError as error:
                raise NotYet(taken.name) from error
            after = os.fstat(handle)
        if len(data) != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise NotYet(taken.name)
        return data

    def _wait_for_unsettled(self) -> None:
        """Give what has just been dropped the moment that it needs, so that a run right after it finds it."""
        if self.settle_seconds > _PATIENCE_SECONDS:
            return
        ends = time.monotonic() + self.settle_seconds
        pause = threading.Event()
        while time.monotonic() < ends and any(not self._has_settled(entry) for entry in self._entries()):
            pause.wait(_LOOK_SECONDS)

    def put_away(self) -> Iterator[Taken]:
        """Files that were put away in earlier runs, oldest first, to be read again where they lie."""
        for name in (DONE, REJECTED):
            folder = self._own(name)
            for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
                inside = path.relative_to(folder).parts
                reason = name == REJECTED and path.name.endswith(".reason.txt")
                if inside[0] != ATTACHMENTS and not reason and not path.is_symlink() and path.is_file():
                    yield Taken(path, path.name, put_away=True)

    def _settled(self) -> Iterator[Taken]:
        for entry in self._entries():
            if self._has_settled(entry):
                yield Taken(Path(entry.path), safe_name(entry.name))

    def finish(self, taken: Taken) -> Path | None:
        """Put a file away whose records are all in the store; ``None`` where it has gone."""
        if self._peek or taken.put_away:
            return None
        crash_point("folder.before_done")
        day = f"{datetime.now(self._zone):%Y-%m-%d}"
        moved = self._move(taken, self.folder / DONE / day)
        crash_point("folder.after_done")
        return moved

    def reject(self, taken: Taken, reason: str) -> Path | None:
        """Put a file away that could not be booked, with the reason beside it; ``None`` where it has gone."""
        if self._peek or taken.put_away:
            return None
        folder = self._own(REJECTED)
        folder.mkdir(exist_ok=True)
        goal = self._free(folder, taken.name)
        # The reason is written first: a crash in between leaves a reason without a file, never a file without one.
        crash_point("folder.before_reason")
        put_file(folder / f"{goal.name}.reason.txt", reason.encode("utf-8"), rights=SHARED)
        crash_point("folder.after_reason")
        moved = self._move(taken, folder, goal)
        crash_point("folder.after_rejected")
        return moved

    def _own(self, name: str) -> Path:
        path = self.folder / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise NeedsUser(
                f"“{name}” in the drop folder is not a folder of its own.",
                why=f"{path} is a link or a file, and files of the connector could end up elsewhere.",
                fix=f"Rename or delete “{name}” in {self.folder}; it is made anew.",
                code="SETTINGS_WRONG",
            )
        return path

    def _missing(self) -> RetryLater:
        return RetryLater(
            f"The drop folder {self.folder} cannot be reached.",
            why="It does not exist, or the drive on which it lies is not connected.",
            fix="Make the folder or connect the drive; or mend `folder` in the route's source section.",
            code="SOURCE_UNREACHABLE",
        )

    def _unusable(self, error: OSError) -> RetryLater | NeedsUser:
        kind = NeedsUser if isinstance(error, PermissionError) else RetryLater
        return kind(
            f"The drop folder {self.folder} cannot be used.",
            why=f"The system says: {plain(error.strerror or str(error))}.",
            fix="The account under which the connector runs must be able to read, write and rename files there, and "
            "the disk must have room.",
            code="SOURCE_UNREACHABLE",
        )

    def _claim(self) -> None:
        found = [entry for entry in self._entries() if self._has_settled(entry)]
        if not found:
            return
        own = self._own(TAKEN)
        own.mkdir(exist_ok=True)
        batch = own / f"{datetime.now(self._zone):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        batch.mkdir()
        used: set[str] = set()
        for entry in found:
            name = safe_name(entry.name)
            count = 1
            while (free := name if count == 1 else numbered(name, count)).casefold() in used:
                count += 1
            used.add(free.casefold())
            # Windows refuses to rename what another program has open; then it is left for the next look.
            with contextlib.suppress(OSError):
                os.rename(entry.path, batch / free)  # noqa: PTH104 - a path that may not be decodable
                crash_point("folder.claimed")

    def _entries(self) -> Iterator["os.DirEntry[str]"]:
        names: set[str] = set()
        with os.scandir(self.folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                names.add(entry.name)
                if not is_passing(entry.name) and not entry.is_dir(follow_symlinks=False):
                    yield entry
        self._looks = {name: look for name, look in self._looks.items() if name in names}

    def _has_settled(self, entry: "os.DirEntry[str]") -> bool:
        try:
            status = os.lstat(entry.path)
        except OSError:
            return False
        if not stat.S_ISREG(status.st_mode):
            return True  # a link, a pipe or a device: claimed, so that it can be rejected by name
        now = time.monotonic()
        look = self._looks.get(entry.name)
        if look is None or look[:2] != (status.st_size, status.st_mtime_ns):
            look = (status.st_size, status.st_mtime_ns, now)
            self._looks[entry.name] = look
        wanted = (
            self.settle_seconds
            if status.st_size
            else max(self.settle_seconds, min(EMPTY_SETTLE_SECONDS, self.settle_seconds * 30))
        )
        # The age tells at the first look; where the clock of a file server is ahead, the second look does.
        age = time.time() - status.st_mtime
        return age >= wanted or now - look[2] >= wanted or (bool(status.st_size) and _ends_whole(entry.path))

    def _claimed(self) -> Iterator[Taken]:
        own = self._own(TAKEN)
        if not own.is_dir():
            return
        for batch in sorted(own.iterdir()):
            if batch.is_symlink() or not batch.is_dir():
                yield Taken(batch, safe_name(batch.name))
                continue
            files = sorted(batch.iterdir())
            if not files:
                with contextlib.suppress(OSError):
                    batch.rmdir()
            for path in files:
                if path.is_symlink() or not path.is_dir():
                    yield Taken(path, path.name)

    def _must_be_plain(self, status: os.stat_result) -> None:
        if stat.S_ISLNK(status.st_mode):
            raise Unfit("This is a link to a file elsewhere, and links are not followed.", "Drop the file itself.")
        if not stat.S_ISREG(status.st_mode):
            raise Unfit("This is a pipe or a device, not a file.", "Drop a file.")
        if status.st_nlink > 1:
            raise Unfit(
                "The file has a second name in another place (a hard link), so it could be changed from there while it "
                "is read.",
                "Drop a copy of the file.",
            )
        if not status.st_size:
            raise Unfit("The file is empty.", "Drop the file again when it has been written whole.")
        if status.st_size > self._max:
            raise Unfit(
                f"The file has {status.st_size / 1048576:,.1f} MB, and files above {self._max / 1048576:,.3g} MB are "
                "not read.",
                "Split it, or raise `max_file_megabytes` in the route's source section, and drop it again.",
            )

    def _move(self, taken: Taken, folder: Path, goal: Path | None = None) -> Path | None:
        self._own(folder.relative_to(self.folder).parts[0])
        folder.mkdir(parents=True, exist_ok=True)
        goal = goal or self._free(folder, taken.name)
        try:
            # One owner works in these folders, so that a name that was free a moment ago still is.
            taken.path.rename(goal)
        except FileNotFoundError:
            return None
        return goal

    def _free(self, folder: Path, name: str) -> Path:
        count = 1
        while os.path.lexists(path := folder / (name if count == 1 else numbered(name, count))):
            count += 1
        return path


def _ends_whole(path: str) -> bool:
    """Whether a young file's end shows that it was written to the end: XML, PDF and workbooks say so themselves."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as stream:
            head = stream.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _ENDS))
            tail = stream.read(_ENDS)
    except OSError:
        return False
    if head.startswith(b"%PDF-"):
        return b"%%EOF" in tail[-1024:]
    if head.startswith(b"PK\x03\x04"):
        return b"PK\x05\x06" in tail
    if head.startswith(b"<"):
        closing = tail.rstrip().rpartition(b"</")[2]
        name = closing.removesuffix(b">").strip().rpartition(b":")[2]
        return closing.endswith(b">") and name in (
            b"Invoice", b"CreditNote", b"SelfBilledInvoice", b"SelfBilledCreditNote", b"CrossIndustryInvoice",
            b"CrossIndustryDocument",
        )  # fmt: skip
    return False
