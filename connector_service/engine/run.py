"""One pass over a route: settle, mark, brake, read, plan, push, write back, report."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from time import monotonic
from typing import Any, Final

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.journal import Change, Held, RouteState
from connector_service.contract.source import FIRST_DATE, LAST_DATE, Rewinding, Window
from connector_service.domain.documents import SourceRecord
from connector_service.domain.kinds import OPEN_STATES, Flag, Kind, State
from connector_service.domain.messages import MESSAGES, documents, problem
from connector_service.domain.problems import (
    ConnectorError,
    NeedsUser,
    Problem,
    RetryLater,
    Stop,
)
from connector_service.domain.status_codes import FaultCode, IssueCode
from connector_service.engine import brakes as brakes_module
from connector_service.engine.actions import resume_undos
from connector_service.engine.begin_date import apply_begin, moves_forward
from connector_service.engine.chunks import CHUNK, Work, chunked
from connector_service.engine.exits import DONE, NEEDS_PERSON, status_of
from connector_service.engine.gather import Gatherer, closed_lists
from connector_service.engine.opening import open_route
from connector_service.engine.plan import Action
from connector_service.engine.push import Pusher
from connector_service.engine.reference import pull
from connector_service.engine.report import FOR_A_PERSON
from connector_service.engine.settle import collect, settle
from connector_service.engine.setup import Route, in_zone
from connector_service.engine.writeback import write_back

OVERLAP: Final = timedelta(minutes=10)
"""How far each reading goes back: a long transaction at the source commits rows that carry an earlier moment."""

_OLD: Final = timedelta(hours=48)


_AGAIN: Final = "handed over again"
"""Beside the cursors: that a source which hands over once has done so again since the store was lost."""


def _closed(kind: Kind) -> str:
    """The name under which it is remembered that a kind was read long after its last change."""
    return f"{kind.value}:closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a run."""

    mode: str = "manual"
    kinds: tuple[Kind, ...] = ()
    first: date | None = None
    last: date | None = None

    @property
    def window(self) -> Window | None:
        """The dates that were asked for; ``None`` where none were."""
        if self.first is None and self.last is None:
            return None
        return Window(self.first or FIRST_DATE, self.last or LAST_DATE)


@dataclass(slots=True)
class RunResult:
    """How a run ended."""

    run: int
    exit: int
    counts: dict[str, int] = field(default_factory=dict)
    totals: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    fault: ConnectorError | None = None
    seconds: float = 0.0


def issue_of(fault: ConnectorError) -> Problem:
    """The issue that what stopped a run opens; a code that only a program knows says that a side is out of reach."""
    known = fault.code in MESSAGES or fault.code in list(FaultCode)
    return Problem(fault.code if known else IssueCode.TARGET_UNREACHABLE, fault.what, fault.why, fault.fix)


@dataclass(slots=True)
class Runner:
    """Carries out one run of one route."""

    route: Route
    request: Request
    progress: Callable[[str, int], None] = lambda _what, _count: None
    """Told what is being done and how many records were taken in since the last call."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the service is asked to stop."""
    _began: float = field(default=0.0)
    _work_done: Work | None = field(default=None)

    def execute(self) -> RunResult:
        """Run, and end in a stored report whatever happens to the systems; faults of ours are the caller's."""
        self._began = monotonic()
        request, journal = self.request, self.route.journal
        row = journal.start_run(self.route.name, request.mode, False, request.first, request.last)
        fault: ConnectorError | None
        try:
            fault = self._work(row.id)
        except ConnectorError as stopped:
            fault = stopped
        if fault is not None:
            self._issue_for(fault)
        return self._end(row.id, self._work_done.unchanged if self._work_done else 0, fault)

    # -- steps --------------------------------------------------------------------------------------------------------

    def _work(self, run: int) -> ConnectorError | None:
        """Do it all; returns why it could not send more, where it ended whole nevertheless."""
        route = self.route
        self._refuse_while_store_is_behind()
        company, pair, state = open_route(route, run)
        crash_point("run.opened")
        settle(route, pair, run)
        collect(route, pair, run)
        resume_undos(route.journal, route.context(pair, run), route.target, route.clock().date())
        begin_is_new = moves_forward(route.options.begin, state.begin)
        self.progress("marking", 0)
        apply_begin(route, pair, run, state)
        crash_point("run.begin_applied")
        counts = self._brake(pair, state)
        pull(route, company.id, closed_lists(route), only_stale=True)
        self._reachable()
        digest = route.journal.pair_digest(pair)
        pusher = Pusher(route, pair, run, digest, self._may_go_on)
        gatherer = Gatherer(route, pair, company, begin_is_new, state.ask_first)
        self._work_done = work = Work(route, pair, run, digest, gatherer, pusher, ask_first=state.ask_first)
        finished = self._documents(work, state)
        fault = work.pusher.result.stopped_by or self._settle_own(work)
        self._issue(IssueCode.WRITEBACK_FAILED, write_back(route, pair, run))
        whole = finished and not work.pusher.result.left and self.request.window is None and not self.request.kinds
        if whole and (state.probes != counts or state.accepted):
            state.probes, state.accepted = counts, {}
            route.journal.save_route_state(route.name, state)
        self._standing_issues(pair)
        return fault

    def _settle_own(self, work: Work) -> ConnectorError | None:
        """Ask at once for what this run itself left in doubt; where that is not possible now, the next run asks."""
        if not work.pusher.result.in_doubt:
            return None
        try:
            settle(self.route, work.pair, work.run)
        except (RetryLater, NeedsUser) as fault:
            return fault
        return None

    def _documents(self, work: Work, state: RouteState) -> bool:
        """Plan what waits in the store, then what the source has; whether everything was gone through."""
        kinds = [kind for kind in self.route.kinds() if not self.request.kinds or kind in self.request.kinds]
        source = self.route.source
        again = state.ask_first and _AGAIN not in state.cursors and isinstance(source, Rewinding)
        if isinstance(source, Rewinding) and again:
            # The store was lost or is older: what it does not know any more was handed over before.
            source.rewind()
        self._waiting(work, kinds)
        for kind in kinds:
            work.held = 0
            work.latest = None
            if not self._source(work, kind, state):
                return False
        if again:
            state.cursors = {**state.cursors, _AGAIN: self.route.clock().isoformat()}
            self.route.journal.save_route_state(self.route.name, state)
        return True

    def _waiting(self, work: Work, kinds: Sequence[Kind]) -> None:
        after = 0
        route = self.route
        while held := route.journal.open_documents(work.pair, OPEN_STATES, after, CHUNK):
            after = held[-1].known.id
            by_kind: dict[Kind, list[Held]] = {}
            for one in held:
                if one.known.kind in kinds and one.known.made_from == route.made_from(one.known.kind):
                    by_kind.setdefault(one.known.kind, []).append(one)
            for kind, rows in by_kind.items():
                if not self._may_go_on():
                    return
                for part in chunked(self._fresh(work, kind, rows)):
                    work.take(kind, part, from_source=False)

    def _fresh(self, work: Work, kind: Kind, rows: Sequence[Held]) -> list[SourceRecord]:
        """The content to plan with: what would be pushed is read again, so that nothing stale or deleted is booked.

        A run that a person asks for reads all of it again, since not everything that is mended at a source moves its
        moment of change; an automatic one leaves what is still held, so that its cost follows what is new.
        """
        route = self.route
        stored = {one.known.key: one for one in rows}
        records: list[SourceRecord] = [one.document for one in rows if one.document is not None]
        if route.source.manifest.consumes:
            return records
        known = {key: one.known for key, one in stored.items()}
        to_push = {one.record.key for one in work.decide(kind, records, known) if one.action is Action.PUSH}
        by_person = self.request.mode == "manual"
        again = [
            (key, one.known.date or FIRST_DATE)
            for key, one in stored.items()
            if by_person or one.document is None or one.known.state is State.WAITING or key in to_push
        ]
        if not again:
            return records
        fresh = {record.key: record for record in route.source.read_keys(kind, again)}
        gone = [stored[key].known for key, _ in again if key not in fresh]
        context = route.context(work.pair, work.run)
        route.journal.apply(context, [Change(State.GONE, one) for one in gone])
        asked = {key for key, _ in again}
        return [record for record in records if record.key not in asked] + list(fresh.values())

    def _source(self, work: Work, kind: Kind, state: RouteState) -> bool:
        route, window = self.route, self.request.window
        incremental = route.source.manifest.incremental and window is None
        since = self._since(state.cursors, kind) if incremental else None
        work.reading_began = route.clock()
        for chunk in chunked(self._counted(kind, route.source.read(kind, since, window or Window()))):
            if not self._may_go_on() or work.area_is_stopped():
                return False
            work.take(kind, chunk, from_source=True)
            if work.pusher.result.stopped_by is not None:
                return False
        if since is None and not route.source.manifest.consumes:
            self._gone(work, kind, window or Window())
        if incremental:
            self._move_cursor(work, kind, state)
        return True

    def _move_cursor(self, work: Work, kind: Kind, state: RouteState) -> None:
        """Remember up to where the source was read, and whether that was so much later that nothing older can come."""
        old = state.cursors.get(kind.value)
        latest = datetime.fromisoformat(old) if old else None
        zone = self.route.timezone
        if work.latest is not None and (latest is None or in_zone(work.latest, zone) > in_zone(latest, zone)):
            latest = work.latest
        if latest is None:
            return
        moved = {**state.cursors, kind.value: latest.isoformat()}
        if work.reading_began - in_zone(latest, zone) > _OLD:
            moved[_closed(kind)] = latest.isoformat()
        if moved != state.cursors:
            state.cursors = moved
            self.route.journal.save_route_state(self.route.name, state)

    def _gone(self, work: Work, kind: Kind, window: Window) -> None:
        unseen = self.route.journal.unseen(work.pair, kind, self.route.made_from(kind), window, work.run)
        rest = iter(unseen)
        while part := list(islice(rest, CHUNK)):
            self.route.journal.apply(self.route.context(work.pair, work.run), [Change(State.GONE, one) for one in part])

    def _counted(self, kind: Kind, records: Iterator[SourceRecord]) -> Iterator[SourceRecord]:
        for place, record in enumerate(records):
            if place % 50 == 0:
                self.progress(kind.value, 50)
            yield record

    # -- opening ------------------------------------------------------------------------------------------------------

    def _refuse_while_store_is_behind(self) -> None:
        for issue in self.route.journal.issues(None):
            if issue.code == IssueCode.STORE_BEHIND:
                raise Stop(issue.what, why=issue.why, fix=issue.fix, code=issue.code)

    def _brake(self, pair: int, state: RouteState) -> dict[str, int]:
        counts, pulled = brakes_module.probe(self.route, pair, state)
        if not pulled:
            self.route.journal.close_issues(self.route.name, brakes_module.CODES)
            return counts
        pulled_now = {(brake.problem.code, f"{brake.kind.value}:{brake.count}"): brake for brake in pulled}
        for issue in self.route.journal.issues(self.route.name):
            # One notice per cause: a count that has moved on takes the place of the earlier one.
            if issue.code in brakes_module.CODES and (issue.code, issue.key) not in pulled_now:
                self.route.journal.close_issues(self.route.name, (issue.code,), issue.key)
        opened = [
            self.route.journal.open_issue(self.route.name, brake.problem, key, confirmable=True)
            for (_, key), brake in pulled_now.items()
        ]
        first = opened[0]  # its words name the issue's number
        raise Stop(first.what, why=first.why, fix=first.fix, code=first.code)

    # -- time ---------------------------------------------------------------------------------------------------------

    def _may_go_on(self) -> bool:
        minutes = self.route.options.burst_minutes
        over = self.request.mode == "auto" and minutes and monotonic() - self._began > minutes * 60
        return not over and not self.stopping()

    def _since(self, cursors: dict[str, str], kind: Kind) -> datetime | None:
        cursor = cursors.get(kind.value)
        if cursor is None:
            return None
        latest = datetime.fromisoformat(cursor)
        # Once it was read again long after the last change, nothing older can still come, and it need not be read at
        # every poll. That the last change is long ago is not enough: the last reading may be as long ago.
        return latest + timedelta(seconds=1) if cursors.get(_closed(kind)) == cursor else latest - OVERLAP

    # -- the end ------------------------------------------------------------------------------------------------------

    def _reachable(self) -> None:
        codes = (IssueCode.SOURCE_UNREACHABLE, IssueCode.TARGET_UNREACHABLE, IssueCode.GRANT_DEAD)
        more = (IssueCode.BEGIN_DATE_NEEDED, IssueCode.SETTINGS_WRONG, IssueCode.DISK_FULL, IssueCode.RUN_BROKE)
        self.route.journal.close_issues(self.route.name, (*codes, *more, *FaultCode))

    def _standing_issues(self, pair: int) -> None:
        tallies = self.route.journal.tallies(pair)
        facts = {"target": self.route.target.manifest.title}
        standing = ((State.IN_DOUBT, IssueCode.DOCUMENT_IN_DOUBT), (State.DRIFTED, IssueCode.DOCUMENT_DRIFTED))
        for state, code in standing:
            count = tallies.get(state, 0)
            if count:
                verb = "" if state is State.DRIFTED else "was" if count == 1 else "were"
                found = problem(code, documents=documents(count, verb), **facts)
                self.route.journal.open_issue(self.route.name, found)
            else:
                self.route.journal.close_issues(self.route.name, (code,))
        differing = self.route.journal.flagged(pair, Flag.BOOKED_DIFFERS)
        if differing:
            subject = documents(differing, "was" if differing == 1 else "were")
            why = f"{facts['target']} computed another amount."
            found = problem(IssueCode.BOOKED_DIFFERS, documents=subject, why=why, **facts)
            self.route.journal.open_issue(self.route.name, found)
        else:
            self.route.journal.close_issues(self.route.name, (IssueCode.BOOKED_DIFFERS,))

    def _issue(self, code: IssueCode, fault: ConnectorError | None) -> None:
        if fault is None:
            self.route.journal.close_issues(self.route.name, (code,))
        else:
            self.route.journal.open_issue(self.route.name, problem(code, why=str(fault), fix=fault.fix))

    def _issue_for(self, fault: ConnectorError) -> None:
        if fault.code in brakes_module.CODES or fault.code == IssueCode.STORE_BEHIND:
            return
        self.route.journal.open_issue(self.route.name, issue_of(fault))

    def _end(self, run: int, unchanged: int, fault: ConnectorError | None) -> RunResult:
        journal = self.route.journal
        counts = journal.run_counts(run)
        counts = {**counts, "read": sum(counts.values()) + unchanged, "unchanged": unchanged}
        totals = journal.run_totals(run)
        issues = [*journal.issues(self.route.name), *journal.issues("")]
        needs_person = any(counts.get(state) for state in FOR_A_PERSON) or issues
        status = status_of(fault) if fault else NEEDS_PERSON if needs_person else DONE
        message = str(fault) if fault else ""
        journal.end_run(run, status, counts, totals, message)
        return RunResult(run, status, counts, totals, message, fault, monotonic() - self._began)
