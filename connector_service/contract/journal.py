"""The store verbs that the engine needs. Each is one short transaction; none stays open over a call to a system."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from connector_service.contract.source import Window
from connector_service.contract.target import Prepared
from connector_service.domain.documents import Document, Head, SourceRecord
from connector_service.domain.kinds import Flag, Kind, State
from connector_service.domain.problems import Problem
from connector_service.domain.reference import Link, LinkKind, ReferenceKind, ReferenceRecord


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit trail: keys, numbers, amounts and ids; no names, contact data or hours."""

    event: str
    """What happened: a state's name, or a word such as ``begin_date``, ``run_started``, ``setting_changed``."""
    route: str = ""
    actor: str = "service"
    run: int | None = None
    pair: str = ""
    """Digest of source and company, so that receipts can be rebuilt from the trail alone."""
    kind: str = ""
    made_from: str = ""
    key: str = ""
    number: str = ""
    before: str = ""
    after: str = ""
    amount: str = ""
    currency: str = ""
    remote_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class Known(NamedTuple):
    """What the store knows of a unit."""

    id: int
    kind: Kind
    made_from: str
    key: str
    number: str
    state: State
    status_code: str
    fingerprint: bytes
    """Of the booked content once it is exported, else of what was last read; empty where it was never read whole."""
    remote_id: str
    generation: int
    """Raised each time that a push is proved not to have booked."""
    date: dt.date | None = None  # in this class the plain word is the field
    run: int = 0
    """The last run that read or touched it."""
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One document's way from a state to another, with what is to be remembered."""

    after: State
    known: Known | None = None
    """``None``: not seen before."""
    record: SourceRecord | None = None
    """The content to remember; ``None`` leaves it as it is."""
    kind: Kind | None = None
    made_from: str = ""
    fingerprint: bytes | None = None
    """``None`` leaves it as it is."""
    problems: tuple[Problem, ...] = ()
    remote_id: str | None = None
    raise_generation: bool = False
    set_flags: frozenset[Flag] = frozenset()
    clear_flags: frozenset[Flag] = frozenset()
    booked_total: Decimal | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """Further facts for the audit trail."""
    booked: Document | None = None
    """The content that is booked, where it is not ``record``: for the trail's amount, and not written again."""
    keep_facts: bool = False
    """Whether number, date, party and amount stay as they are, although ``record`` is remembered as the content."""


@dataclass(frozen=True, slots=True)
class Context:
    """In whose name changes are made."""

    route: str
    pair: int
    run: int | None = None
    actor: str = "service"


@dataclass(frozen=True, slots=True)
class Member:
    """One unit of an intent."""

    document_id: int
    external_reference: str
    number: str
    date: str = ""
    """The day that it is booked on, in ISO form, where that is not the document's own."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The stored record that a push is about to happen, or has happened with an outcome that is not known."""

    id: int
    pair: int
    purpose: str
    """``push`` or ``void``."""
    prepared: Prepared
    members: tuple[Member, ...]
    created: datetime
    """Before the first call: the target may have begun to remember its key as early as this."""
    last_sent: datetime
    """When the request may have left for the last time: the target may be at work on it since then."""
    tickets: tuple[str, ...] = ()
    """Of a queued push, one a member, in order; empty where that member has none."""


@dataclass(frozen=True, slots=True)
class Held:
    """A document of the store with its content, to be planned again."""

    known: Known
    document: Document | None
    """``None`` where the content must be read from the source again."""


@dataclass(slots=True)
class RouteState:
    """What a route remembers between runs."""

    pair: int
    source_identity: str = ""
    company: str = ""
    made_from: str = ""
    """The alternatives in force, as one text."""
    begin: date | None = None
    """The begin date that has been applied."""
    cursors: dict[str, str] = field(default_factory=dict)
    """By kind, the latest ``changed_at`` that was taken in, in ISO form."""
    probes: dict[str, int] = field(default_factory=dict)
    """By kind, how many records the source had when a run last ended well."""
    accepted: dict[str, int] = field(default_factory=dict)
    """By kind, the count that a person has confirmed after a brake."""
    ask_first: bool = False
    """Whether each unit is looked up in the target before it is sent: after the store was lost or restored."""
    stopped: bool = False
    """Whether a person stopped automatic runs."""


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An open problem that needs a person."""

    id: int
    route: str
    code: str
    what: str
    why: str
    fix: str
    key: str
    opened: datetime
    confirmable: bool = False
    count: int = 1
    closed: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One pass over a route."""

    id: int
    route: str
    mode: str
    dry_run: bool
    started: datetime
    ended: datetime | None
    exit: int | None
    counts: dict[str, int]
    totals: dict[str, Any]
    message: str = ""


class Journal(Protocol):
    """What the engine remembers, and where."""

    def pair(self, source_identity: str, company: str) -> int:
        """The number under which this source and this company are remembered; made on first sight."""
        ...

    def find_pair(self, source_identity: str, company: str) -> int | None:
        """That number, where there is one already."""
        ...

    def pair_digest(self, pair: int) -> str:
        """A text that stands for source and company in the trail and in external references."""
        ...

    def was_recovered(self) -> bool:
        """Whether the store was ever rebuilt from the audit trail, so that new routes must ask first."""
        ...

    def route_state(self, route: str) -> RouteState | None:
        """What a route remembers; ``None`` before its first run."""
        ...

    def save_route_state(self, route: str, state: RouteState, event: Event | None = None) -> None:
        """Remember it, with an event where a person or a rule changed something."""
        ...

    def known(self, pair: int, kind: Kind, made_from: str, keys: Sequence[str]) -> dict[str, Known]:
        """What is known of these keys, by one statement per few hundred."""
        ...

    def same_numbers(self, pair: int, kind: Kind, numbers: Sequence[str]) -> dict[str, list[tuple[str, str, State]]]:
        """By number: key, party and state of every unit that carries it."""
        ...

    def open_documents(self, pair: int, states: Sequence[State], after: int, limit: int) -> list[Held]:
        """Documents in these states by id, the next ``limit`` after one, with their content."""
        ...

    def by_ids(self, document_ids: Sequence[int]) -> list[Known]:
        """What is known of documents, by their numbers in the store."""
        ...

    def content(self, document_ids: Sequence[int], newer: bool = False) -> dict[int, Document]:
        """The content of documents as it was last read or booked; with ``newer`` as it changed after that."""
        ...

    def apply(self, context: Context, changes: Sequence[Change]) -> list[Known]:
        """Commit transitions with their events and tallies in one transaction; refuses a way that does not exist.

        Raises ``Conflict`` (``CHANGED_MEANWHILE``), with nothing changed, where a document is no longer in the state in
        which it is known: a person was faster. Look again and decide again.
        """
        ...

    def keep_newer(self, newer: Mapping[int, Document | None]) -> None:
        """Remember what the source says now of documents whose push is under way; ``None``: the same as was sent."""
        ...

    def touch(self, context: Context, document_ids: Sequence[int]) -> None:
        """Note that the run looked at documents and left them as they are, so that its report lists them."""
        ...

    def mark_heads(self, context: Context, kind: Kind, made_from: str, heads: Iterable[Head], begin: date) -> int:
        """Mark records dated before the begin date, in bulk: one transaction, one event with count, range and digest.

        Unknown units are added as marked; waiting, held, refused and unreadable ones become marked; others stay.
        Returns how many were marked.
        """
        ...

    def release_marked(self, context: Context, kind: Kind, window: Window) -> int:
        """Lead documents of a window that were marked for their date only back to waiting; returns how many."""
        ...

    def begin_intent(
        self, context: Context, purpose: str, prepared: Prepared, members: Sequence[Member], state: State
    ) -> Intent:
        """Commit an intent before the call; a push leads its documents to ``state``: sending, or queued.

        Raises ``Conflict`` where one of them no longer waits: a person was faster.
        """
        ...

    def resend_intent(self, intent: Intent) -> None:
        """Note, before the call, that the same request is sent once more."""
        ...

    def forget_request(self, intent: Intent) -> None:
        """Drop the request's bytes, so that it can never be sent again."""
        ...

    def finish_intent(self, context: Context, intent: Intent, changes: Sequence[Change]) -> list[Known]:
        """Commit outcomes; a push stays open while members of it are sending, queued or in doubt."""
        ...

    def open_intents(self, pair: int, states: Sequence[State]) -> Iterator[tuple[Intent, list[Known]]]:
        """Intents that have members in these states, each with those members, oldest first."""
        ...

    def pending_writebacks(self, pair: int, limit: int) -> list[Known]:
        """Exported documents whose mark at the source is still to be made."""
        ...

    def flagged(self, pair: int, flag: Flag) -> int:
        """How many documents have ``writeback_pending`` or ``booked_differs``; other flags are not counted cheaply."""
        ...

    def clear_writebacks(self, context: Context, document_ids: Sequence[int]) -> None:
        """The marks have been made."""
        ...

    def known_count(self, pair: int, kind: Kind, window: Window) -> int:
        """How many units of a kind the store knows; within a window where it is not open to both sides."""
        ...

    def unseen(self, pair: int, kind: Kind, made_from: str, window: Window, run: int) -> list[Known]:
        """Documents not yet pushed, dated in the window, that the run has neither read nor touched."""
        ...

    def stored(self, pair: int, kind: Kind, made_from: str, window: Window, after: int, limit: int) -> list[Held]:
        """Documents of a window with their content, as they were last read or booked; by id, after one, so many."""
        ...

    def tallies(self, pair: int) -> dict[State, int]:
        """Documents by state, kept up with every change, so that asking costs nothing."""
        ...

    def links(self, pair: int) -> dict[tuple[LinkKind, str], Link]:
        """All links of a source and a company."""
        ...

    def save_links(self, context: Context, links: Sequence[Link]) -> None:
        """Add or change links, with their events."""
        ...

    def reference(self, company: str, kind: ReferenceKind) -> list[ReferenceRecord]:
        """The target's list as it was last pulled."""
        ...

    def save_reference(
        self,
        company: str,
        kind: ReferenceKind,
        records: Iterable[ReferenceRecord],
        whole: bool,
        moment: datetime,
        seconds: float,
    ) -> int:
        """Store pulled records; of a whole list, what did not come is no longer active. Returns how many came."""
        ...

    def reference_pulled(self, company: str, kind: ReferenceKind) -> datetime | None:
        """When the list was last pulled."""
        ...

    def start_run(self, route: str, mode: str, dry_run: bool, first: date | None, last: date | None) -> RunRow:
        """Begin a run; runs of the route that a crash left open are closed."""
        ...

    def end_run(
        self, run: int, exit_status: int, counts: Mapping[str, int], totals: Mapping[str, Any], message: str
    ) -> None:
        """Close a run with what it did."""
        ...

    def run_counts(self, run: int) -> dict[str, int]:
        """How many documents a run left in each state."""
        ...

    def run_totals(self, run: int) -> dict[str, dict[str, dict[str, str]]]:
        """By kind and currency, the amount that the run looked at and the amount exported."""
        ...

    def open_issue(self, route: str, problem: Problem, key: str = "", confirmable: bool = False) -> IssueRow:
        """Open an issue, or count it up where the same (route, code, key) is open: one notice per cause."""
        ...

    def close_issues(self, route: str, codes: Sequence[str], key: str | None = None) -> int:
        """Close open issues whose cause has gone."""
        ...

    def issues(self, route: str | None, include_closed: bool = False) -> list[IssueRow]:
        """Issues, oldest first."""
        ...

    def record(self, event: Event) -> None:
        """Put an event into the trail that goes with no transition."""
        ...
