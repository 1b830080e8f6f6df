"""What audit trail and store need of each other: who seals the lines, and where they wait until they are on disk."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from connector_service.contract.journal import Event
from connector_service.domain.kinds import Kind, State


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the trail says last of a document: what the store is given back where it has forgotten it."""

    pair: str
    """Digest of source and company."""
    kind: Kind
    made_from: str
    key: str
    state: State
    sequence: int
    """Of the last line that speaks of it."""
    number: str = ""
    amount: str = ""
    """The total in the currency's main unit; empty where the trail does not say."""
    currency: str = ""
    remote_id: str = ""
    fingerprint: bytes = b""
    """Of what was booked, or of what was sent last."""
    generation: int = 0
    date: dt.date | None = None  # in this class the plain word is the field


class Sealer(Protocol):
    """Turns events into the lines of the trail, each chained to the one before by a keyed hash."""

    def seal(self, sequence: int, previous: str, moment: dt.datetime, event: Event) -> tuple[str, str]:
        """The line (JSON, without a line break) and its hash."""
        ...


class TrailOutbox(Protocol):
    """The sealed lines that the store still holds, until they stand in the trail's files for good."""

    def unflushed(self, after: int, limit: int) -> list[tuple[int, str, str]]:
        """Sequence, line and hash of the lines with a sequence above ``after``, in order, at most ``limit``."""
        ...

    def flushed(self, up_to: int) -> None:
        """The lines up to this sequence stand in the trail durably; the store may let go of them."""
        ...

    def head(self) -> tuple[int, str]:
        """Sequence and hash of the last line that was ever sealed; ``(0, "")`` before the first."""
        ...
