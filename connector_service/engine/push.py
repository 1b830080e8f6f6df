"""Intent, call, outcome: the write protocol. An intent is committed before each call, and its outcome after it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import uuid4

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.journal import Change, Intent, Known, Member
from connector_service.contract.target import Done, Outcome, Posting, Prepared, Queued, Refused, Unknown
from connector_service.domain.documents import Document, TimeRecord
from connector_service.domain.kinds import Flag, Kind, State
from connector_service.domain.messages import problem
from connector_service.domain.problems import Conflict, ConnectorError, NeedsUser, OutcomeUnknown, RetryLater
from connector_service.domain.problems import Refused as RefusedError
from connector_service.domain.reference import LinkKind
from connector_service.domain.status_codes import FaultCode, OutcomeCode
from connector_service.engine.checks import label
from connector_service.engine.setup import Route, external_reference


@dataclass(frozen=True, slots=True)
class Ready:
    """A document that has passed its checks and waits in the store."""

    known: Known
    document: Document
    targets: dict[tuple[LinkKind, str], str] = field(default_factory=dict)
    book_on: date | None = None


@dataclass(slots=True)
class PushResult:
    """What became of what was pushed."""

    exported: int = 0
    refused: int = 0
    in_doubt: int = 0
    left: int = 0
    """Not sent: the run was told to stop before."""
    stopped_by: ConnectorError | None = None
    """Why no more was sent: the target is out of reach or wants a person."""


@dataclass(slots=True)
class Pusher:
    """Sends documents in batches, several at a time as far as the target allows."""

    route: Route
    pair: int
    run: int
    digest: str
    may_go_on: Callable[[], bool]
    """Asked before each call: whether the run may still send."""
    result: PushResult = field(default_factory=PushResult)

    def push(self, ready: Sequence[Ready]) -> PushResult:
        """Send documents of one kind; whatever happens, each ends in a state that the next run can go on from."""
        before = self.result.refused + self.result.in_doubt
        batches = self._batches(ready)
        calls = max(1, self.route.target.manifest.limits.concurrent_calls)
        if calls == 1:
            for batch in batches:
                if not self._allowed(before):
                    self.result.left += len(batch)
                    continue
                self._one_call(batch)
        else:
            self._push_parallel(batches, calls, before)
        return self.result

    def _push_parallel(self, batches: Iterator[Sequence[Ready]], calls: int, before: int) -> None:
        # Only the calls themselves run in threads: the store has one writer, this thread.
        under_way: dict[Future[list[Outcome] | ConnectorError], tuple[Intent, Sequence[Ready]]] = {}
        with ThreadPoolExecutor(calls, thread_name_prefix="push") as pool:
            for batch in batches:
                if not self._allowed(before):
                    self.result.left += len(batch)
                    continue
                begun = self._begin(batch)
                if begun is None:
                    continue
                under_way[pool.submit(self._call, begun[0].prepared)] = begun
                if len(under_way) >= calls:
                    self._take_in(under_way)
            while under_way:
                self._take_in(under_way)

    def _take_in(self, under_way: dict[Future[list[Outcome] | ConnectorError], tuple[Intent, Sequence[Ready]]]) -> None:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            intent, batch = under_way.pop(future)
            self._finish(intent, batch, future.result())

    def _allowed(self, problems_before: int) -> bool:
        if self.result.stopped_by is not None or not self.may_go_on():
            return False
        return not (
            self.route.options.stop_after_error and self.result.refused + self.result.in_doubt > problems_before
        )

    def _batches(self, ready: Sequence[Ready]) -> Iterator[Sequence[Ready]]:
        limit = self.route.target.manifest.limits.batch_size
        size = min(self.route.options.batch_size or limit, limit)
        if self.route.options.stop_after_error:
            size = 1
        for at in range(0, len(ready), size):
            yield ready[at : at + size]

    def _one_call(self, batch: Sequence[Ready]) -> None:
        begun = self._begin(batch)
        if begun is not None:
            intent, batch = begun
            self._finish(intent, batch, self._call(intent.prepared))

    def _begin(self, batch: Sequence[Ready]) -> tuple[Intent, Sequence[Ready]] | None:
        """Commit the intent; what a person put aside in this moment is left out, and ``None`` is all of it."""
        while batch:
            try:
                return self._intend(batch), batch
            except Conflict as fault:
                if fault.code != FaultCode.CHANGED_MEANWHILE:
                    raise
                now = {one.id: one for one in self.route.journal.by_ids([one.known.id for one in batch])}
                batch = [
                    replace(one, known=now[one.known.id]) for one in batch if now[one.known.id].state is State.WAITING
                ]
        return None

    def _intend(self, batch: Sequence[Ready]) -> Intent:
        postings, members = [], []
        for one in batch:
            known = one.known
            reference = external_reference(self.digest, known.kind, known.made_from, known.key)
            document = one.document if one.book_on is None else replace(one.document, date=one.book_on)
            postings.append(Posting(document, reference, one.targets))
            day = document.date.isoformat() if one.book_on else ""
            members.append(Member(known.id, reference, known.number, day))
        prepared = self.route.target.prepare(batch[0].known.kind, postings, uuid4().hex)
        state = State.QUEUED if self.route.target.manifest.queued else State.SENDING
        crash_point("push.before_intent")
        context = self.route.context(self.pair, self.run)
        intent = self.route.journal.begin_intent(context, "push", prepared, members, state)
        crash_point("push.after_intent")
        return intent

    def _call(self, prepared: Prepared) -> list[Outcome] | ConnectorError:
        try:
            outcomes = self.route.target.push(prepared)
        except OutcomeUnknown as fault:
            return [Unknown(str(fault))] * len(prepared.members)
        except (RetryLater, NeedsUser, RefusedError) as fault:
            return fault
        crash_point("push.after_call")
        if len(outcomes) != len(prepared.members):
            reason = f"{len(outcomes)} answers came for {len(prepared.members)} documents."
            return [Unknown(reason)] * len(prepared.members)
        return outcomes

    def _finish(self, intent: Intent, batch: Sequence[Ready], outcomes: list[Outcome] | ConnectorError) -> None:
        context = self.route.context(self.pair, self.run)
        if isinstance(outcomes, RefusedError) and len(batch) == 1:
            found = problem(
                OutcomeCode.REFUSED_BY_TARGET,
                document=label(batch[0].document),
                target=self.route.target.manifest.title,
                why=" ".join(part for part in (outcomes.what, outcomes.why) if part),
                fix=outcomes.fix,
            )
            outcomes = [Refused(found)]
        known = self.route.journal.by_ids([member.document_id for member in intent.members])
        by_id = {one.id: one for one in known}
        if isinstance(outcomes, ConnectorError):
            changes = [Change(State.WAITING, by_id[one.known.id], details={"unsent": outcomes.code}) for one in batch]
            self.route.journal.finish_intent(context, intent, changes)
            if isinstance(outcomes, RefusedError):
                self._one_by_one(batch)
            else:
                self.result.stopped_by = outcomes
            return
        changes = []
        for one, outcome in zip(batch, outcomes, strict=True):
            change = outcome_change(self.route, by_id[one.known.id], one.document, outcome)
            changes.append(change)
            self._count(change.after)
        crash_point("push.before_outcome")
        self.route.journal.finish_intent(context, replace(intent, tickets=tickets_of(outcomes)), changes)
        crash_point("push.after_outcome")

    def _one_by_one(self, batch: Sequence[Ready]) -> None:
        # One bad document must not keep its neighbours out: the call was refused whole, so each is tried alone.
        current = {one.id: one for one in self.route.journal.by_ids([one.known.id for one in batch])}
        for one in batch:
            if self.result.stopped_by is not None:
                self.result.left += 1
                continue
            self._one_call([replace(one, known=current[one.known.id])])

    def _count(self, state: State) -> None:
        self.result.exported += state is State.EXPORTED
        self.result.refused += state is State.REFUSED
        self.result.in_doubt += state is State.IN_DOUBT


def tickets_of(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """The tickets of queued members, one a member, in order; none at all where nothing was queued."""
    tickets = tuple(one.ticket if isinstance(one, Queued) else "" for one in outcomes)
    return tickets if any(tickets) else ()


def outcome_change(route: Route, known: Known, document: Document, outcome: Outcome) -> Change:
    """The transition that an outcome of a push leads to."""
    if isinstance(outcome, Done):
        return exported_change(route, known, document, outcome)
    if isinstance(outcome, Refused):
        return Change(State.REFUSED, known, problems=(outcome.problem,), raise_generation=True)
    if isinstance(outcome, Queued):
        return Change(State.QUEUED, known, details={"ticket": outcome.ticket})
    found = problem(
        OutcomeCode.OUTCOME_UNKNOWN,
        document=label(document),
        target=route.target.manifest.title,
        why=outcome.reason,
        id=known.id,
    )
    return Change(State.IN_DOUBT, known, problems=(found,))


def exported_change(route: Route, known: Known, document: Document, done: Done) -> Change:
    """A document is in the books: remember its id, what the books computed, and what is to be marked at the source."""
    flags = set()
    if must_write_back(route, known.kind):
        flags.add(Flag.WRITEBACK_PENDING)
    problems = []
    if done.total is not None and not isinstance(document, TimeRecord) and done.total != document.total:
        flags.add(Flag.BOOKED_DIFFERS)
        target = route.target.manifest.title
        why = f"The source says {document.total}, {target} computed {done.total}."
        facts = {"documents": f"{label(document)} was", "why": why, "target": target}
        problems.append(problem(OutcomeCode.BOOKED_DIFFERS, **facts))
    details = {"found": True} if done.found else {}
    return Change(
        State.EXPORTED,
        known,
        problems=tuple(problems),
        remote_id=done.remote_id,
        set_flags=frozenset(flags),
        booked_total=done.total,
        details=details,
        booked=document,
    )


def must_write_back(route: Route, kind: Kind) -> bool:
    """Whether a kind is marked at the source once it is exported."""
    return route.source.can_mark(kind, paid=False) or marks_paid(route, kind)


def marks_paid(route: Route, kind: Kind) -> bool:
    """Whether a kind is marked as paid at the source right after the export."""
    option = {Kind.SALES_INVOICE: route.options.mark_sales_paid, Kind.VENDOR_BILL: route.options.mark_bills_paid}
    return option.get(kind) == "after_export" and route.source.can_mark(kind, paid=True)
