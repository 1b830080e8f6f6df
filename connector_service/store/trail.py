"""Events are sealed in the transaction of the change that they tell of, and wait here until they stand in the trail."""

from collections.abc import Sequence
from datetime import datetime

from connector_service.contract.journal import Event
from connector_service.contract.trail import Sealer
from connector_service.store.codec import now
from connector_service.store.database import Database


class Trail:
    """The outbox of the audit trail."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        """Work on this store, chaining with this sealer."""
        self._database = database
        self._sealer = sealer

    def head(self) -> tuple[int, str]:
        """The last sequence and hash ever sealed; (0, "") when none was."""
        row = self._database.execute("SELECT value FROM meta WHERE name = 'head'").fetchone()
        if row is None:
            return 0, ""
        sequence, _, digest = row[0].partition(" ")
        return int(sequence), digest

    def add(self, events: Sequence[Event], moment: datetime | None = None) -> None:
        """Seal events; call it inside ``Database.write`` together with the change that they tell of."""
        if not events:
            return
        sequence, previous = self.head()
        when = moment or now()
        rows = []
        seal = self._sealer.seal
        for event in events:
            sequence += 1
            line, previous = seal(sequence, previous, when, event)
            rows.append((sequence, line, previous))
        self._database.execute_many("INSERT INTO event (sequence, line, hash) VALUES (?, ?, ?)", rows)
        self.set_head(sequence, previous)

    def set_head(self, sequence: int, digest: str) -> None:
        """Go on from this head; inside the transaction of the change that it belongs to."""
        self._database.execute(
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('head', ?)", (f"{sequence} {digest}",)
        )

    def unflushed(self, after: int, limit: int) -> list[tuple[int, str, str]]:
        """Lines that wait: sequence, line and hash, in order."""
        return self._database.execute(
            "SELECT sequence, line, hash FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?", (after, limit)
        ).fetchall()

    def flushed(self, up_to: int) -> None:
        """These lines stand in the files, on disk."""
        with self._database.write():
            self._database.execute("DELETE FROM event WHERE sequence <= ?", (up_to,))
