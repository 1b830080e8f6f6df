"""What the trail still knows where the store has forgotten: its standing against the store, and receipts."""

import datetime as dt
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

from connector_service.audit.chain import KEY_EVENT, Chain, Line, parse
from connector_service.audit.trail import find, last_line, lines_from, trail_files
from connector_service.contract.journal import Event
from connector_service.contract.trail import Receipt, TrailOutbox
from connector_service.domain.kinds import Kind, State

_KINDS: Final = frozenset(kind.value for kind in Kind)
_STATES: Final = {state.value: state for state in State}


class Standing(Enum):
    """How the trail's files stand to the store's head."""

    LEVEL = "level"
    TRAIL_BEHIND = "trail_behind"
    """The store has sealed more than the files hold: the usual state before a flush."""
    STORE_EMPTY = "store_empty"
    STORE_OLDER = "store_older"
    """The trail goes on where the store ends: the store was restored or lost its last changes."""
    DIFFERENT = "different"
    """The trail tells another history: it belongs to another store."""


def compare(head_sequence: int, head_hash: str, folder: Path) -> Standing:
    """How the trail in ``folder`` stands to the store's head (0 and "" where the store has sealed nothing).

    Reads one block at the end of the newest file; some more only where the trail is ahead.
    """
    last = last_line(folder)
    if last is None:
        return Standing.TRAIL_BEHIND if head_sequence else Standing.LEVEL
    if not head_sequence:
        return Standing.STORE_EMPTY
    if last.sequence < head_sequence:
        return Standing.TRAIL_BEHIND
    if last.sequence == head_sequence:
        return Standing.LEVEL if last.hash == head_hash else Standing.DIFFERENT
    same = find(folder, head_sequence)
    return Standing.STORE_OLDER if same is None or same.hash == head_hash else Standing.DIFFERENT


def section_event(outbox: TrailOutbox, folder: Path, chain: Chain) -> Event | None:
    """The event to record at start, before any other, where the last line was sealed with another key; else ``None``.

    So a key that the vault has lost begins a new section of the chain, and ``verify`` can tell it from tampering.
    """
    sequence, digest = outbox.head()
    waiting = outbox.unflushed(sequence - 1, 1) if sequence else []
    if waiting:
        raw = waiting[0][1].encode()
    else:
        files = trail_files(folder)
        raw = next((piece.raw for piece in lines_from(files, sequence)), b"") if sequence else b""
    line = parse(raw)
    if line is None or line.hash != digest or chain.genuine(raw):
        return None
    return Event(KEY_EVENT)


def receipts(folder: Path, after_sequence: int = 0) -> Iterator[Receipt]:
    """What the lines above a sequence say of documents, one receipt a document, in the order of their first line.

    A line that does not say a field leaves what an earlier one said. Bulk events (records marked before the begin date)
    name no documents and give no receipts. Keeps one receipt a document in memory. Lines that cannot be read are passed
    over: run ``verify`` first, and look up in the target before anything is sent again.
    """
    known: dict[tuple[str, str, str, str], Receipt] = {}
    for piece in lines_from(trail_files(folder), after_sequence + 1):
        if b'"after":"' not in piece.raw:
            continue
        line = parse(piece.raw)
        if line is None or not line.key or line.kind not in _KINDS or line.after not in _STATES:
            continue
        unit = (line.pair, line.kind, line.made_from, line.key)
        known[unit] = _receipt(line, known.get(unit))
    yield from known.values()


def _receipt(line: Line, earlier: Receipt | None) -> Receipt:
    details = line.details
    fingerprint, generation, day = (
        _hex(details.get("fingerprint")),
        details.get("generation"),
        _day(details.get("date")),
    )
    return Receipt(
        line.pair,
        Kind(line.kind),
        line.made_from,
        line.key,
        _STATES[line.after],
        line.sequence,
        line.number or (earlier.number if earlier else ""),
        line.amount or (earlier.amount if earlier else ""),
        line.currency or (earlier.currency if earlier else ""),
        line.remote_id or (earlier.remote_id if earlier else ""),
        fingerprint or (earlier.fingerprint if earlier else b""),
        generation if isinstance(generation, int) else (earlier.generation if earlier else 0),
        day or (earlier.date if earlier else None),
    )


def _hex(value: Any) -> bytes:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return b""


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
