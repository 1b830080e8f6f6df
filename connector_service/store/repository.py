"""The store as the engine sees it: ``contract.journal.Journal`` on one SQLite file."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from connector_service.contract.journal import (
    Change,
    Context,
    Event,
    Held,
    Intent,
    IssueRow,
    Known,
    Member,
    RouteState,
    RunRow,
)
from connector_service.contract.source import Window
from connector_service.contract.target import Prepared
from connector_service.contract.trail import Sealer
from connector_service.domain.documents import Document, Head
from connector_service.domain.identity import pair_digest
from connector_service.domain.kinds import Flag, Kind, State
from connector_service.domain.problems import Problem
from connector_service.domain.reference import Link, LinkKind, ReferenceKind, ReferenceRecord
from connector_service.store.codec import now
from connector_service.store.database import Database
from connector_service.store.documents import Documents
from connector_service.store.intents import Intents
from connector_service.store.links import Links
from connector_service.store.listing import Listing
from connector_service.store.receipts import was_recovered
from connector_service.store.runs import Runs
from connector_service.store.trail import Trail


class Repository:
    """Everything that is remembered. Safe for several threads; one process writes."""

    def __init__(
        self,
        path: Path,
        backups: Path,
        sealer: Sealer,
        read_only: bool = False,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Open the store at ``path``; raises as ``Database`` does. ``clock`` times what is sent to targets."""
        self.database = Database(path, backups, read_only)
        self.trail = Trail(self.database, sealer)
        self.documents = Documents(self.database, self.trail)
        self.intents = Intents(self.database, self.documents, clock)
        self.runs = Runs(self.database, self.trail)
        self.link_table = Links(self.database, self.trail)
        self.listing = Listing(self.database)

    def close(self) -> None:
        """Let go of the file, for this thread."""
        self.database.close()

    def pair(self, source_identity: str, company: str) -> int:
        """The number under which this source and this company are remembered; made on first sight."""
        number = self.find_pair(source_identity, company)
        digest = pair_digest(source_identity, company)
        with self.database.write():
            if number is None:
                self.database.execute(
                    "INSERT INTO pair (source, company, digest) VALUES (?, ?, ?)", (source_identity, company, digest)
                )
            else:
                # A pair that was rebuilt from the audit trail has only its digest until the route names both sides.
                self.database.execute(
                    "UPDATE pair SET source = ?, company = ? WHERE digest = ? AND source = ''",
                    (source_identity, company, digest),
                )
        number = self.find_pair(source_identity, company)
        if number is None:
            raise AssertionError("a pair that was just written must be there")
        return number

    def find_pair(self, source_identity: str, company: str) -> int | None:
        """That number, where there is one already."""
        row = self.database.execute(
            "SELECT id FROM pair WHERE digest = ?", (pair_digest(source_identity, company),)
        ).fetchone()
        return int(row[0]) if row else None

    def pair_digest(self, pair: int) -> str:
        """A text that stands for source and company in the trail and in external references."""
        return self.documents.digest(pair)

    def was_recovered(self) -> bool:
        """Whether the store was ever rebuilt from the audit trail."""
        return was_recovered(self.database)

    def route_state(self, route: str) -> RouteState | None:
        """What a route remembers; ``None`` before its first run."""
        return self.runs.route_state(route)

    def save_route_state(self, route: str, state: RouteState, event: Event | None = None) -> None:
        """Remember it, with an event where a person or a rule changed something."""
        self.runs.save_route_state(route, state, event)

    def known(self, pair: int, kind: Kind, made_from: str, keys: Sequence[str]) -> dict[str, Known]:
        """What is known of these keys, by one statement per few hundred."""
        return self.documents.known(pair, kind, made_from, keys)

    def by_ids(self, document_ids: Sequence[int]) -> list[Known]:
        """What is known of documents, by their numbers in the store."""
        return self.documents.by_ids(document_ids)

    def same_numbers(self, pair: int, kind: Kind, numbers: Sequence[str]) -> dict[str, list[tuple[str, str, State]]]:
        """By number: key, party and state of every unit that carries it."""
        return self.documents.same_numbers(pair, kind, numbers)

    def open_documents(self, pair: int, states: Sequence[State], after: int, limit: int) -> list[Held]:
        """Documents in these states by id, the next ``limit`` after one, with their content."""
        return self.documents.open_documents(pair, states, after, limit)

    def content(self, document_ids: Sequence[int], newer: bool = False) -> dict[int, Document]:
        """The content of documents as it was last read or booked; with ``newer`` as it changed after that."""
        return self.documents.content(document_ids, newer)

    def apply(self, context: Context, changes: Sequence[Change]) -> list[Known]:
        """Commit transitions with their events and tallies in one transaction."""
        return self.documents.apply(context, changes)

    def keep_newer(self, newer: Mapping[int, Document | None]) -> None:
        """Remember what the source says now of documents whose push is under way."""
        self.documents.keep_newer(newer)

    def touch(self, context: Context, document_ids: Sequence[int]) -> None:
        """Note that the run looked at documents and left them as they are, so that its report lists them."""
        self.documents.touch(context, document_ids)

    def mark_heads(self, context: Context, kind: Kind, made_from: str, heads: Iterable[Head], begin: date) -> int:
        """Mark records dated before the begin date, in bulk; returns how many."""
        return self.documents.mark_heads(context, kind, made_from, heads, begin)

    def release_marked(self, context: Context, kind: Kind, window: Window) -> int:
        """Lead documents of a window that were marked for their date only back to waiting; returns how many."""
        return self.documents.release_marked(context, kind, window)

    def begin_intent(
        self, context: Context, purpose: str, prepared: Prepared, members: Sequence[Member], state: State
    ) -> Intent:
        """Commit an intent before the call; a push leads its documents to ``state``: sending, or queued."""
        return self.intents.begin(context, purpose, prepared, members, state)

    def resend_intent(self, intent: Intent) -> None:
        """Note, before the call, that the same request is sent once more."""
        self.intents.resend(intent)

    def forget_request(self, intent: Intent) -> None:
        """Drop the request's bytes, so that it can never be sent again."""
        self.intents.forget(intent)

    def finish_intent(self, context: Context, intent: Intent, changes: Sequence[Change]) -> list[Known]:
        """Commit outcomes; a push stays open while members of it are sending, queued or in doubt."""
        return self.intents.finish(context, intent, changes)

    def open_intents(self, pair: int, states: Sequence[State]) -> Iterator[tuple[Intent, list[Known]]]:
        """Intents that have members in these states, each with those members, oldest first."""
        return self.intents.open(pair, states)

    def pending_writebacks(self, pair: int, limit: int) -> list[Known]:
        """Exported documents whose mark at the source is still to be made."""
        return self.documents.pending_writebacks(pair, limit)

    def flagged(self, pair: int, flag: Flag) -> int:
        """How many documents have ``writeback_pending`` or ``booked_differs``."""
        return self.documents.flagged(pair, flag)

    def clear_writebacks(self, context: Context, document_ids: Sequence[int]) -> None:
        """The marks have been made."""
        self.documents.clear_writebacks(context, document_ids)

    def known_count(self, pair: int, kind: Kind, window: Window) -> int:
        """How many units of a kind the store knows, within a window."""
        return self.documents.known_count(pair, kind, window)

    def unseen(self, pair: int, kind: Kind, made_from: str, window: Window, run: int) -> list[Known]:
        """Documents not yet pushed, dated in the window, that the run has neither read nor touched."""
        return self.documents.unseen(pair, kind, made_from, window, run)

    def stored(self, pair: int, kind: Kind, made_from: str, window: Window, after: int, limit: int) -> list[Held]:
        """Documents of a window with their content, as they were last read or booked."""
        return self.documents.stored(pair, kind, made_from, window, after, limit)

    def tallies(self, pair: int) -> dict[State, int]:
        """Documents by state, kept up with every change."""
        return self.documents.tallies(pair)

    def links(self, pair: int) -> dict[tuple[LinkKind, str], Link]:
        """All links of a source and a company."""
        return self.link_table.links(pair)

    def save_links(self, context: Context, links: Sequence[Link]) -> None:
        """Add or change links, with their events."""
        self.link_table.save_links(context, links)

    def reference(self, company: str, kind: ReferenceKind) -> list[ReferenceRecord]:
        """The target's list as it was last pulled."""
        return self.link_table.reference(company, kind)

    def save_reference(
        self,
        company: str,
        kind: ReferenceKind,
        records: Iterable[ReferenceRecord],
        whole: bool,
        moment: datetime,
        seconds: float,
    ) -> int:
        """Store pulled records; returns how many came."""
        return self.link_table.save_reference(company, kind, records, whole, moment, seconds)

    def reference_pulled(self, company: str, kind: ReferenceKind) -> datetime | None:
        """When the list was last pulled."""
        return self.link_table.reference_pulled(company, kind)

    def start_run(self, route: str, mode: str, dry_run: bool, first: date | None, last: date | None) -> RunRow:
        """Begin a run; runs of the route that a crash left open are closed."""
        return self.runs.start_run(route, mode, dry_run, first, last)

    def end_run(
        self, run: int, exit_status: int, counts: Mapping[str, int], totals: Mapping[str, Any], message: str
    ) -> None:
        """Close a run with what it did."""
        self.runs.end_run(run, exit_status, counts, totals, message)

    def run_counts(self, run: int) -> dict[str, int]:
        """How many documents a run left in each state."""
        return self.listing.run_counts(run)

    def run_totals(self, run: int) -> dict[str, dict[str, dict[str, str]]]:
        """By kind and currency, the amount that the run looked at and the amount exported."""
        return self.listing.run_totals(run)

    def open_issue(self, route: str, problem: Problem, key: str = "", confirmable: bool = False) -> IssueRow:
        """Open an issue, or count it up where the same is open."""
        return self.runs.open_issue(route, problem, key, confirmable)

    def close_issues(self, route: str, codes: Sequence[str], key: str | None = None) -> int:
        """Close open issues whose cause has gone."""
        return self.runs.close_issues(route, codes, key)

    def issues(self, route: str | None, include_closed: bool = False) -> list[IssueRow]:
        """Issues, oldest first."""
        return self.runs.issues(route, include_closed)

    def record(self, event: Event) -> None:
        """Put an event into the trail that goes with no transition."""
        with self.database.write():
            self.trail.add([event])
