"""What audit trail and store need of each other: who seals the lines, and where they wait until they are on disk."""

from datetime import datetime
from typing import Protocol

from connector_service.contract.journal import Event


class Sealer(Protocol):
    """Turns events into the lines of the trail, each chained to the one before by a keyed hash."""

    def seal(self, sequence: int, previous: str, moment: datetime, event: Event) -> tuple[str, str]:
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
