"""Appends to the books' files that are there whole or not at all, and durable when they return.

Before the files are touched, what will be appended is written to ``.pending`` and made durable. A process that finds
something in it looks at each file's end: what is whole stays, a torn end is cut back to the last whole transaction,
and what anybody else has changed since is left alone.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Final
from zlib import crc32

from connector_service.contract.crashpoints import crash_point
from connector_service.files import sync, sync_folder
from connector_service.targets.journal.index import TAIL, Stamp, digest_of, tail_of
from connector_service.targets.journal.scanner import Found

PENDING: Final = ".pending"
_IDLE: Final = b" "
"""The first byte of the note when no append is under way."""
_KEPT: Final = 4 << 20
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_APPEND: Final[int] = os.O_RDWR | os.O_APPEND | _BINARY


@dataclass(frozen=True, slots=True)
class Part:
    """What is appended to one file, with what stands in it."""

    file: str
    data: bytes
    found: Sequence[Found] = ()
    shift: int = 0
    """What leads from the offsets of the documents in ``found`` to their places in ``data``."""


@dataclass(frozen=True, slots=True)
class Appended:
    """A part that has been appended, and the file as it was left."""

    part: Part
    before: int
    """The file's size before."""
    offset: int
    """Where the part's data begin: after the line break that the file may have lacked."""
    stamp: Stamp
    tail: bytes


@dataclass(frozen=True, slots=True)
class _Place:
    """An open file, and what goes to its end."""

    part: Part
    handle: int
    offset: int
    data: bytes


class HalfWritten(Exception):
    """An append broke off and could not be taken back: the next one to open the books repairs them."""


def write_all(handle: int, data: bytes | memoryview) -> None:
    """Write everything; raises ``OSError`` where the disk takes no more."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def has_pending(folder: Path) -> bool:
    """Whether an append may have been broken off."""
    try:
        handle = os.open(folder / PENDING, os.O_RDONLY | _BINARY)
    except FileNotFoundError:
        return False
    try:
        return os.read(handle, 1) not in (b"", _IDLE)
    finally:
        os.close(handle)


def append(folder: Path, parts: Sequence[Part]) -> list[Appended]:
    """Append each part to its file, in order. The caller holds the books' lock.

    Raises ``OSError`` where nothing has been appended, and ``HalfWritten`` where that could not be made so.
    """
    crash_point("journal.before_pending")
    with contextlib.ExitStack() as open_files:
        places = _open_all(folder, parts, open_files)
        _note(folder, [(place.part.file, place.offset, place.data) for place in places])
        crash_point("journal.after_pending")
        done: list[Appended] = []
        try:
            for place in places:
                done.append(_append_one(place))
                crash_point("journal.after_append")
        except OSError as fault:
            taken_back = [_take_back(folder / place.part.file, place.offset, len(place.data)) for place in places]
            if not all(taken_back):
                raise HalfWritten(str(fault)) from fault
            _clear(folder)
            raise
    _clear(folder)
    crash_point("journal.after_clear")
    return done


def _open_all(folder: Path, parts: Sequence[Part], open_files: contextlib.ExitStack) -> list[_Place]:
    """Open the files, and make those that are not there: an include may be written before what it includes."""
    places: list[_Place] = []
    is_new = False
    for part in parts:
        path = folder / part.file
        try:
            handle = os.open(path, _APPEND)
        except FileNotFoundError:
            handle = os.open(path, _APPEND | os.O_CREAT, 0o666)
            is_new = True
        open_files.callback(os.close, handle)
        size = os.lseek(handle, 0, os.SEEK_END)
        data = part.data
        if size:
            os.lseek(handle, size - 1, os.SEEK_SET)
            if os.read(handle, 1) != b"\n":
                data = b"\n" + data
        places.append(_Place(part, handle, size, data))
    if is_new:
        sync_folder(folder)
    return places


def _note(folder: Path, plan: Sequence[tuple[str, int, bytes]]) -> None:
    header = {
        "parts": [[file, offset, len(data)] for file, offset, data in plan],
        "sum": _sum(data for *_, data in plan),
    }
    path = folder / PENDING
    # Written over what is there: a file that keeps its size and its blocks is made durable several times faster.
    try:
        handle, is_new = os.open(path, os.O_RDWR | _BINARY), False
    except FileNotFoundError:
        handle, is_new = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666), True
    try:
        try:
            write_all(handle, b"".join((json.dumps(header).encode(), b"\n", *(data for *_, data in plan))))
            sync(handle)
        except OSError:
            os.ftruncate(handle, 0)
            raise
    finally:
        os.close(handle)
    if is_new:
        sync_folder(folder)


def _sum(stretches: Iterable[bytes]) -> int:
    # Tells a note that a power cut tore. The files are untouched then, so that a weak sum does no harm.
    return reduce(lambda so_far, data: crc32(data, so_far), stretches, 0)


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


def _append_one(place: _Place) -> Appended:
    handle, data = place.handle, memoryview(place.data)
    half = len(data) // 2
    write_all(handle, data[:half])
    crash_point("journal.half_appended")
    write_all(handle, data[half:])
    sync(handle)
    stamp = Stamp.from_status(os.fstat(handle))
    # Somebody may have appended at the same moment: then the stamp is not kept and the file is read again.
    if stamp.size != place.offset + len(data):
        stamp = Stamp(-1, 0, 0)
    tail = digest_of(data[-TAIL:]) if len(data) >= TAIL else _tail(handle, max(stamp.size, 0))
    return Appended(place.part, place.offset, place.offset + len(data) - len(place.part.data), stamp, tail)


def _tail(handle: int, size: int) -> bytes:
    with os.fdopen(os.dup(handle), "rb") as stream:
        return tail_of(stream, size)


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
                sync(handle)
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
        whole = header["sum"] == _sum([payload])
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
        sync(handle)
    finally:
        os.close(handle)
