"""What a target must be. Everything but company, prepare, push and look-up is optional and declared in its manifest."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TextIO, TypeAlias, runtime_checkable

from connector_service.contract.manifest import TargetManifest
from connector_service.domain.documents import Attachment, Document
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.parties import Party
from connector_service.domain.problems import Problem
from connector_service.domain.reference import LinkKind, ReferenceKind, ReferenceRecord


@dataclass(frozen=True, slots=True)
class CompanyInfo:
    """The company at the target that a route writes into."""

    id: str
    """Stable: units are unique on it."""
    name: str
    currency: str = ""
    """Home currency; empty where the books have none."""
    locked_until: date | None = None
    """The books are closed up to and including this date."""
    currencies: frozenset[str] = frozenset()
    """Currencies that are switched on; empty where any is taken."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One document, ready to be booked."""

    document: Document
    external_reference: str
    """Our own reference, the same for every try of this unit until it is proved that it was not booked."""
    targets: Mapping[tuple[LinkKind, str], str] = field(default_factory=dict)
    """The target's id for each source key that the document uses and whose list is closed."""

    def target(self, kind: LinkKind, source_key: str) -> str:
        """The target's id for a source key; the key itself where the list is open."""
        return self.targets.get((kind, source_key), source_key) if self.targets else source_key


@dataclass(frozen=True, slots=True)
class Prepared:
    """The exact bytes of one call and what stands in them, stored before the call is made."""

    kind: Kind
    body: bytes
    members: tuple[str, ...]
    """External references, in the order in which they stand in the body."""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """It is booked."""

    remote_id: str
    number: str = ""
    total: Decimal | None = None
    """The total that the target computed, where it tells one."""
    tax_total: Decimal | None = None
    found: bool = False
    """Whether it was found rather than made now."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The target looked at it and said no; it is proved not to be booked."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not be booked."""

    reason: str


@dataclass(frozen=True, slots=True)
class Queued:
    """The target will fetch it; until then it can be withdrawn."""

    ticket: str


Outcome: TypeAlias = Done | Refused | Unknown | Queued


@dataclass(frozen=True, slots=True)
class LookUp:
    """A question to the books: is this there?"""

    kind: Kind
    external_reference: str = ""
    number: str = ""
    party_id: str = ""
    date: dt.date | None = None  # in this class the plain word is the field
    total: Decimal | None = None
    currency: str = ""


class BookedState(StrEnum):
    """How a document stands in the books."""

    OPEN = "open"
    PAID = "paid"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Booked:
    """A document that stands in the books."""

    remote_id: str
    number: str
    external_reference: str = ""
    party_id: str = ""
    date: dt.date | None = None
    total: Decimal | None = None
    tax_total: Decimal | None = None
    currency: str = ""
    state: BookedState = BookedState.OPEN
    kind: Kind | None = None
    """``None`` where the target does not tell it."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What has been paid on a booked document."""

    remote_id: str
    paid_in_full: bool
    paid: Decimal
    last_date: date | None = None


class Target(Protocol):
    """An accounting package that is written. ``push`` may be called from several threads at once."""

    manifest: TargetManifest

    def company(self) -> CompanyInfo:
        """Read the company, as a proof that the target can be reached and written to."""
        ...

    def prepare(self, kind: Kind, postings: Sequence[Posting], idempotency_key: str) -> Prepared:
        """Build the exact bytes of one call for these postings. Pure: no call, no clock, no chance."""
        ...

    def push(self, prepared: Prepared) -> list[Outcome]:
        """Make the call, and answer an outcome for each member in order.

        A call of which it is not proved that nothing was booked answers ``Unknown``; it raises ``RetryLater`` or
        ``NeedsUser`` only where nothing was sent at all, or the target is proved to have refused it whole. A target
        that answers ``Queued`` answers the same tickets where the same bytes come under the same key again: a crash may
        have cut off the first answer.
        """
        ...

    def look_up(self, questions: Sequence[LookUp]) -> list[list[Booked]]:
        """Answer each question with what stands in the books, in as few calls as the target allows.

        By external reference where the question has one; else by number (with the party, where it has one). Documents
        that are void are told too, with that state.
        """
        ...

    def booked(self, kind: Kind, first: date, last: date) -> Iterator[Booked]:
        """Stream what stands in the books of a kind, by document date, for a reconciliation."""
        ...

    def collect(self, tickets: Sequence[str]) -> list[Outcome]:
        """What became of queued requests; ``Queued`` again where nothing did yet."""
        ...

    def withdraw(self, tickets: Sequence[str]) -> list[bool]:
        """Take back queued requests that were not fetched yet; whether each was."""
        ...

    def void(self, kind: Kind, remote_id: str, reference: str, day: date) -> Outcome:
        """Void one booked document; ``reference`` makes a repeat harmless."""
        ...

    def attach(self, kind: Kind, remote_id: str, attachment: Attachment, content: bytes) -> None:
        """Attach a file to a booked document; verify what arrived."""
        ...

    def reference(self, kind: ReferenceKind, since: datetime | None) -> Iterator[ReferenceRecord]:
        """Stream one of the target's lists, parties included; all of it, or what changed since a moment."""
        ...

    def write_party(self, kind: PartyKind, party: Party, remote_id: str = "") -> ReferenceRecord:
        """Create a party, or change the one with that id."""
        ...

    def payments(self, kind: Kind, remote_ids: Sequence[str]) -> list[Payment]:
        """What has been paid on these documents."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


@runtime_checkable
class Bookkeeping(Protocol):
    """A target that keeps books of its own, for which there is no other program to look at them; optional."""

    def balances(self) -> Iterable[tuple[str, str, Decimal]]:
        """Account, currency and balance (debit is positive) of every account; minutes stand under ``MINUTES``."""
        ...

    def export(self, out: TextIO) -> int:
        """Write all transactions in the form of another accounting program; returns how many."""
        ...
