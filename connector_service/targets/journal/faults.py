"""What the operating system and SQLite say, in words for a person."""

import errno
import sqlite3
from pathlib import Path
from typing import Final

from connector_service.domain.problems import ConnectorError, NeedsUser, RetryLater

_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_READ_ONLY: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
# Primary result codes of SQLite (https://www.sqlite.org/rescode.html).
_SQLITE_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SQLITE_READ_ONLY: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})


def _code(fault: sqlite3.Error) -> int:
    return (getattr(fault, "sqlite_errorcode", None) or 0) & 0xFF


def is_read_only(fault: OSError | sqlite3.Error) -> bool:
    """Whether the folder may be read but not written."""
    if isinstance(fault, OSError):
        return fault.errno in _READ_ONLY
    return _code(fault) in _SQLITE_READ_ONLY


def is_lasting(fault: sqlite3.Error) -> bool:
    """Whether making the index again would meet the same fault: the disk is full, or another program is at it."""
    return _code(fault) in _SQLITE_BUSY | _SQLITE_READ_ONLY | {sqlite3.SQLITE_FULL}


def locked(folder: Path) -> ConnectorError:
    """Another program holds the books."""
    return RetryLater(
        "The books are being written by another program.",
        why=f"Another run, or another Connector Service, holds the folder {folder}.",
        fix="Nothing needs to be done; it is tried again.",
        code="TARGET_UNREACHABLE",
        after_seconds=30,
    )


def translate(fault: OSError | sqlite3.Error, folder: Path) -> ConnectorError:
    """The fault as what happens next."""
    full = fault.errno in _FULL if isinstance(fault, OSError) else _code(fault) == sqlite3.SQLITE_FULL
    if full:
        return RetryLater(
            "There is no room for the books on the disk.",
            why=f"Writing to {folder} stopped because the disk, or the space allowed, is full ({fault}).",
            fix="Make room on that disk; the documents are waiting and are tried again.",
            code="DISK_FULL",
            after_seconds=300,
        )
    if is_read_only(fault):
        return NeedsUser(
            "The books cannot be written.",
            why=f"The folder {folder} or a file in it may not be changed by this program ({fault}).",
            fix="Give the account that runs Connector Service the right to write in that folder.",
            code="TARGET_UNREACHABLE",
        )
    return RetryLater(
        "The books cannot be reached.",
        why=f"The folder {folder} could not be read or written ({fault}).",
        fix="See that the folder is there and its drive is connected; it is tried again.",
        code="TARGET_UNREACHABLE",
        after_seconds=60,
    )
