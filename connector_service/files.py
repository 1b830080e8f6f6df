"""Files that survive a crash, are read by those who may, and have one writer: for all that the product writes whole.

Standard library only.
"""

import contextlib
import errno
import os
import random
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from connector_service.domain.problems import Busy, NeedsUser

PRIVATE: Final = 0o600
"""Rights of a file that only its owner may read and write (POSIX)."""
SHARED: Final = 0o666
"""Rights of a file for whoever the user's own mask lets in (POSIX)."""
PRIVATE_FOLDER: Final = 0o700
"""Rights of a folder that only its owner may enter (POSIX)."""

_WINDOWS: Final = sys.platform == "win32"
_ADMINISTRATORS: Final = "S-1-5-32-544"
_SYSTEM: Final = "S-1-5-18"
# Who may always read: SYSTEM, Administrators, the owner, by their SDDL short names and SIDs
# (Microsoft, "SID strings" and "Well-known SIDs").
_TRUSTED: Final = frozenset({"SY", "BA", "OW", "CO", _SYSTEM, _ADMINISTRATORS, "S-1-3-4", "S-1-3-0"})
# An access control entry in SDDL: (type;flags;rights;object;inherited object;trustee).
_ACE: Final = re.compile(r"\((X?O?A|ZA);[^;]*;[^;]*;[^;]*;[^;]*;([^;)]+)")


def replace_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Put ``data`` in the place of the file in one step: after a crash the old or the new content is there, whole.

    ``private`` restricts the new file to its owner; otherwise it keeps the rights of the one that it replaces.
    Raises ``OSError`` when it cannot be written; the old file is then untouched.
    """
    goal = path.resolve()  # a link stays a link: what it points to is replaced

    def give_rights(temporary: Path) -> None:
        if private:
            restrict(temporary)
        elif goal.exists():
            _copy_rights(goal, temporary)

    put_file(goal, data, opened=give_rights)


def put_file(
    path: Path,
    data: bytes,
    *,
    rights: int = PRIVATE,
    opened: Callable[[Path], None] = lambda _temporary: None,
    written: Callable[[Path], None] = lambda _temporary: None,
) -> None:
    """Put a whole, durable file at a path in one step; a link that is there is replaced, not followed.

    ``opened`` and ``written`` are told the path of the temporary file before anything is in it, and when all is in it
    durably: what they raise leaves things as they were. Raises ``OSError`` when it cannot be written.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, rights), "wb") as stream:
            opened(temporary)
            stream.write(data)
            stream.flush()
            sync(stream.fileno())
        written(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync(handle: int) -> None:
    """Make the content of an open file durable."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)  # fsync on macOS leaves it in the drive's cache
    elif sys.platform == "win32":
        os.fsync(handle)
    else:
        os.fdatasync(handle)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable. Windows and some mounted drives have no such call."""
    if _WINDOWS:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def restrict(path: Path) -> None:
    """Leave a file or folder to its owner (on Windows: to the account, Administrators and SYSTEM).

    Raises ``OSError`` where that cannot be done.
    """
    if not _WINDOWS:
        path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE)
        return
    inherit = "(OI)(CI)F" if path.is_dir() else "F"
    grants = [f"*{sid}:{inherit}" for sid in (_ADMINISTRATORS, _SYSTEM, _own_sid())]
    answer = subprocess.run(
        ["icacls", str(path), "/inheritance:r", "/grant:r", *grants], capture_output=True, check=False
    )
    if answer.returncode != 0:
        raise OSError(f"icacls could not restrict {path} (exit status {answer.returncode})")


def try_lock(file: IO[bytes]) -> bool:
    """Lock an open file without waiting; whether it worked. The lock ends when the file is closed, or its process.

    It holds between processes, and between two openings of the file in one process.
    """
    try:
        return _lock(file)
    except OSError:
        return False


def _lock(file: IO[bytes]) -> bool:
    """The same; raises ``OSError`` where the file system knows no locks."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


@contextlib.contextmanager
def exclusive(path: Path, *, patience_seconds: float = 60, rights: int = PRIVATE) -> Iterator[None]:
    """Be the only one, among the threads of all processes, that is in here with this lock file.

    Waits for its turn; raises ``Busy`` when that takes longer than ``patience_seconds``, ``OSError`` when the file
    cannot be made or locked at all. The file is left where it is: removing it would let two in.
    """
    until = time.monotonic() + patience_seconds
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, rights), "r+b") as file:
        while not _lock(file):
            if time.monotonic() >= until:
                raise Busy(
                    f"The file {path.name} is in use.",
                    why=f"Another process has been working with it for {patience_seconds:.0f} seconds.",
                    fix="Wait until it has ended and try again.",
                    code="BUSY",
                )
            time.sleep(random.uniform(0.005, 0.03))  # noqa: S311 - spreads those who wait; no secret
        yield


def refuse_if_shared(path: Path, what: str) -> None:
    """Raise ``NeedsUser``, with the fix, when other accounts of this computer may read the file. ``what`` names it."""
    if _WINDOWS:
        others = readers_besides(_access_list(path), _own_sid())
        shared = f"The accounts {', '.join(sorted(others))} may read it." if others else ""
        fix = f'Run: icacls "{path}" /inheritance:r /grant:r *{_ADMINISTRATORS}:F *{_SYSTEM}:F "%USERNAME%":F'
    else:
        rights = path.stat().st_mode & 0o777
        shared = f"Its rights are {rights:04o}, so other accounts may read or change it." if rights & 0o077 else ""
        fix = f"Run: chmod 600 '{path}'"
    if shared:
        raise NeedsUser(
            f"{what} is not read, because it is open to others: {path}.",
            why=shared,
            fix=f"{fix}. Then change the secrets in it, if somebody else may have seen them.",
            code="VAULT_OPEN_TO_OTHERS",
        )


def readers_besides(descriptor: str, owner: str) -> set[str]:
    """Trustees that an SDDL security descriptor lets in, besides ``owner``, Administrators and SYSTEM."""
    _, _, entries = descriptor.partition("D:")
    return {trustee for _, trustee in _ACE.findall(entries)} - _TRUSTED - {owner}


def _copy_rights(source: Path, goal: Path) -> None:
    if _WINDOWS:
        return  # a new file has the rights that its folder hands down, as the old one had
    status = source.stat()
    goal.chmod(status.st_mode & 0o7777)
    if (status.st_uid, status.st_gid) != (goal.stat().st_uid, goal.stat().st_gid):
        # Only root may give a file away; for others the file stays theirs.
        with contextlib.suppress(PermissionError):
            os.chown(goal, status.st_uid, status.st_gid)


def _own_sid() -> str:
    answer = subprocess.run(["whoami", "/user", "/fo", "csv", "/nh"], capture_output=True, check=True)
    found = re.search(rb"S-1-[0-9-]+", answer.stdout)
    if not found:
        raise OSError("Windows did not tell the identifier of this account (whoami /user)")
    return found.group().decode("ascii")


def _access_list(path: Path) -> str:
    """The file's descriptor, as ``icacls /save`` writes it: SIDs instead of names in the user's language."""
    saved = path.with_name(f".{path.name}.{secrets.token_hex(6)}.acl")
    try:
        subprocess.run(["icacls", str(path), "/save", str(saved)], capture_output=True, check=True)
        return saved.read_text("utf-16-le")
    finally:
        saved.unlink(missing_ok=True)
