"""Appends to the books' files that are there whole or not at all, and durable when they return.

Before the files are touched, what will be appended is written to ``.pending`` and made durable. A process that finds
something in it looks at each file's end: what is whole stays, a torn end is cut back to the last whole transaction,
and what anybody else has changed since is left alone.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from connector_service.contract.crashpoints import crash_point
from connector_service.targets.journal.index import Stamp, tail_of
from connector_service.targets.journal.scanner import Found

PENDING: Final = ".pending"
_IDLE: Final = b" "
"""The first byte of the note when no append is under way."""
_KEPT: Final = 4 << 20
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Part:
    """What is appended to one file, with what stands in it at offsets from its beginning."""

    file: str
    data: bytes
    found: Sequence[Found] = ()


@dataclass(frozen=True, slots=True)
class Appended:
    """A part that has been appended, and the file as it was left."""

    part: Part
    offset: int
    """Where the part's data begin."""
    stamp: Stamp
    tail: bytes


class HalfWritten(Exception):
    """An append broke off and could not be taken back: the next one to open the books repairs them."""


def sync(handle: int) -> None:
    """Make a file's content durable."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)  # fsync on macOS leaves it in the drive's cache
    elif sys.platform == "win32":
        os.fsync(handle)
    else:
        os.fdatasync(handle)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable; Windows has no such call and needs none."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_all(handle: int, data: bytes | memoryview) -> None:
    """Write everything; raises ``OSError`` where the disk takes no more."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def has_pending(folder: Path) -> bool:
    """Whether an append may have been broken off."""
    try:
        with (folder / PENDING).open("rb", buffering=0) as stream:
            return stream.read(1) not in (b"", _IDLE)
    except FileNotFoundError:
        return False


def append(folder: Path, parts: Sequence[Part]) -> list[Appended]:
    """Append each part to its file, in order. The caller holds the books' lock.

    Raises ``OSError`` where nothing has been appended, and ``HalfWritten`` where that could not be made so.
    """
    crash_point("journal.before_pending")
    _make(folder, [part.file for part in parts])
    plan = [(part, *_place(folder / part.file, part.data)) for part in parts]
    _note(folder, [(part.file, offset, data) for part, offset, data in plan])
    crash_point("journal.after_pending")
    done: list[Appended] = []
    try:
        for part, offset, data in plan:
            done.append(_append_one(folder, part, offset, data))
            crash_point("journal.after_append")
    except OSError as fault:
        taken_back = [_take_back(folder / part.file, offset, len(data)) for part, offset, data in plan]
        if not all(taken_back):
            raise HalfWritten(str(fault)) from fault
        _clear(folder)
        raise
    _clear(folder)
    crash_point("journal.after_clear")
    return done


def _make(folder: Path, names: Sequence[str]) -> None:
    """Make the files that are not there, empty: an include may then be written before what it includes."""
    new = [folder / name for name in names if not (folder / name).exists()]
    for path in new:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666))
    if new:
        sync_folder(folder)


def _place(path: Path, data: bytes) -> tuple[int, bytes]:
    """Where the data go, with a line break before them where the file does not end in one."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        if not size:
            return 0, data
        stream.seek(size - 1)
        return size, data if stream.read(1) == b"\n" else b"\n" + data


def _note(folder: Path, plan: Sequence[tuple[str, int, bytes]]) -> None:
    payload = b"".join(data for _, _, data in plan)
    header = {
        "parts": [[file, offset, len(data)] for file, offset, data in plan],
        "digest": blake2b(payload, digest_size=32).hexdigest(),
    }
    path = folder / PENDING
    new = not path.exists()
    # Written over what is there: a file that keeps its size and its blocks is made durable several times faster.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
    try:
        try:
            write_all(handle, json.dumps(header).encode() + b"\n" + payload)
            sync(handle)
        except OSError:
            os.ftruncate(handle, 0)
            raise
    finally:
        os.close(handle)
    if new:
        sync_folder(folder)


def _clear(folder: Path) -> None:
    # Need not be durable: what is found whole afterwards stays.
    handle = os.open(folder / PENDING, os.O_RDWR | _BINARY)
    try:
        if os.fstat(handle).st_size > _KEPT:
            os.ftruncate(handle, 0)
        else:
            write_all(handle, _IDLE)
    finally:
        os.close(handle)


def _append_one(folder: Path, part: Part, offset: int, data: bytes) -> Appended:
    handle = os.open(folder / part.file, os.O_RDWR | os.O_APPEND | _BINARY)
    try:
        half = len(data) // 2
        write_all(handle, memoryview(data)[:half])
        crash_point("journal.half_appended")
        write_all(handle, memoryview(data)[half:])
        sync(handle)
        stamp = Stamp.from_status(os.fstat(handle))
        # Somebody may have appended at the same moment: then the stamp is not kept and the file is read again.
        if stamp.size != offset + len(data):
            stamp = Stamp(-1, 0, 0)
        with os.fdopen(os.dup(handle), "rb") as stream:
            tail = tail_of(stream, max(stamp.size, 0))
    finally:
        os.close(handle)
    return Appended(part, offset + len(data) - len(part.data), stamp, tail)


def _take_back(path: Path, offset: int, length: int) -> bool:
    """Cut off what was appended, if nobody else has touched the file; whether the file is as before."""
    try:
        size = path.stat().st_size
        if size > offset + length or size < offset:
            return False
        if size > offset:
            os.truncate(path, offset)
            handle = os.open(path, os.O_RDWR | _BINARY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError:
        return False
    return True


def repair(folder: Path) -> None:
    """Finish what a broken-off append left. The caller holds the books' lock."""
    head, _, payload = (folder / PENDING).read_bytes().partition(b"\n")
    try:
        header = json.loads(head)
        parts = [(str(file), int(offset), int(length)) for file, offset, length in header["parts"]]
        payload = payload[: sum(length for _, _, length in parts)]  # older notes may have been longer
        whole = header["digest"] == blake2b(payload, digest_size=32).hexdigest()
    except (ValueError, KeyError, TypeError):
        parts, whole = [], False
    if whole:  # else the note itself is torn: the files have not been touched
        at = 0
        for file, offset, length in parts:
            _repair_one(folder / file, offset, payload[at : at + length])
            at += length
    _clear(folder)


def _repair_one(path: Path, offset: int, data: bytes) -> None:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(min(offset, size))
            there = stream.read(len(data))
    except FileNotFoundError:
        return
    if size <= offset or size > offset + len(data) or there == data:
        return
    same = next((at for at, (left, right) in enumerate(zip(there, data, strict=False)) if left != right), len(there))
    # A power cut can leave blocks of zeros where data were to come; anything else there is somebody's edit.
    if any(left not in (0, right) for left, right in zip(there[same:], data[same:], strict=False)):
        return
    # Transactions end in a blank line; whole ones stay.
    os.truncate(path, offset + data.rfind(b"\n\n", 0, same) + 1)
    handle = os.open(path, os.O_RDWR | _BINARY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
