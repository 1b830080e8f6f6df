"""Books in memory that outlive the engine: what stands in them is there whatever becomes of who wrote it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from connector_service.contract.target import BookedState, Done, Outcome
from connector_service.domain.documents import DOCUMENT_TYPES, Document, MoneyDocument, TimeRecord
from connector_service.domain.kinds import Kind
from connector_service.domain.reference import ReferenceKind, ReferenceRecord


@dataclass
class Entry:
    """One document in the books."""

    remote_id: str
    reference: str
    document: Document
    party_id: str
    visible_at: datetime
    state: BookedState = BookedState.OPEN

    @property
    def total(self) -> Decimal:
        """Money, or minutes."""
        if isinstance(self.document, TimeRecord):
            return Decimal(self.document.minutes)
        return self.document.total


@dataclass
class Books:
    """The books themselves: what stands in them is there whatever becomes of the engine."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    entries: list[Entry] = field(default_factory=list)
    answered: dict[str, tuple[datetime, list[Outcome]]] = field(default_factory=dict)
    """By idempotency key: when the answer may be had, and the answer."""
    queue: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By ticket: idempotency key, and the bytes of one member."""
    fetched: dict[str, Outcome] = field(default_factory=dict)
    issued: int = 0
    """Ids are never given twice, also where a document was deleted."""
    voids: dict[str, str] = field(default_factory=dict)
    lists: dict[ReferenceKind, list[ReferenceRecord]] = field(default_factory=dict)

    def alive(self, kind: Kind | None = None) -> list[Entry]:
        """What stands in the books and is not void, what is still being worked on included."""
        return [
            one
            for one in self.entries
            if one.state is not BookedState.VOID and (kind is None or one.document.kind is kind)
        ]

    def by_key(self, key: str) -> list[Entry]:
        """Everything ever booked for a source key and not void."""
        return [one for one in self.alive() if one.document.key == key]

    def book(self, document: Document, reference: str, party_id: str = "", seconds: float = 0) -> Entry:
        """Book one document; our reference may stand there once only."""
        assert reference == "" or not any(one.reference == reference for one in self.alive()), (
            f"BOOKED TWICE: {document.kind} {document.key}"
        )
        visible = self.clock() + timedelta(seconds=seconds)
        self.issued += 1
        entry = Entry(f"R{self.issued}", reference, document, party_id, visible)
        self.entries.append(entry)
        return entry

    def void_by_hand(self, entry: Entry) -> None:
        """Somebody voids it in the package itself."""
        entry.state = BookedState.VOID

    def fetch(self) -> int:
        """The package fetches what was queued and books it; returns how many."""
        done = 0
        for ticket, (_, body) in list(self.queue.items()):
            sent = decode_sent(body)[0]
            entry = self.book(sent.document, sent.reference, sent.party_id)
            self.fetched[ticket] = Done(entry.remote_id, sent.document.number, total_told(sent.document))
            del self.queue[ticket]
            done += 1
        return done


class Sent(msgspec.Struct):
    """One document as it travels."""

    kind: str
    reference: str
    party_id: str
    content: msgspec.Raw

    @property
    def document(self) -> Document:
        """The document itself."""
        made: Document = msgspec.json.decode(self.content, type=DOCUMENT_TYPES[Kind(self.kind)])
        return made


def decode_sent(body: bytes) -> list[Sent]:
    """What stands in the bytes of a call."""
    return msgspec.json.decode(body, type=list[Sent])


def total_told(document: Document) -> Decimal | None:
    """The total that the package tells of what it booked: none for time."""
    return document.total if isinstance(document, MoneyDocument) else None
