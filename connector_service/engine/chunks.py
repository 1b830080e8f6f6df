"""One chunk of records of one kind: planned, remembered, then pushed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.journal import Change, Known
from connector_service.contract.manifest import Idempotency
from connector_service.contract.target import Done, LookUp
from connector_service.domain.documents import SourceRecord, Unreadable
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import Flag, Kind, State
from connector_service.domain.problems import Conflict
from connector_service.domain.status_codes import FaultCode
from connector_service.engine.gather import Gatherer
from connector_service.engine.newer import drift_in_words, drifted_change
from connector_service.engine.plan import Action, Decision, plan
from connector_service.engine.push import Pusher, Ready, exported_change
from connector_service.engine.settle import party_ids, question, the_one
from connector_service.engine.setup import Route, external_reference, in_zone

CHUNK: Final = 500
"""Records that are planned and remembered together."""

_ATTEMPTS: Final = 5
# What is listed by each run that finds it so: it needs a person, or has not gone out yet.
_STANDING: Final = frozenset({State.WAITING, State.HELD, State.UNREADABLE, State.REFUSED})


def chunked(records: Iterable[SourceRecord]) -> Iterator[list[SourceRecord]]:
    """Records in chunks in which no key stands twice, so that the second is planned with the first known."""
    chunk: list[SourceRecord] = []
    keys: set[str] = set()
    for record in records:
        if len(chunk) >= CHUNK or record.key in keys:
            yield chunk
            chunk, keys = [], set()
        chunk.append(record)
        keys.add(record.key)
    if chunk:
        yield chunk


@dataclass(slots=True)
class Work:
    """What a run has done so far, and the latest change at the source that it has taken in."""

    route: Route
    pair: int
    run: int
    digest: str
    gatherer: Gatherer
    pusher: Pusher
    ask_first: bool = False
    """Whether the books are asked for each document before it is sent: the store was lost or restored."""
    unchanged: int = 0
    held: int = 0
    latest: datetime | None = field(default=None)
    reading_began: datetime = field(default=datetime.max.replace(tzinfo=UTC))
    """When the reading of the kind at hand began, by our clock."""

    def take(self, kind: Kind, records: Sequence[SourceRecord], from_source: bool) -> None:
        """Plan, remember and push one chunk; planned anew where a person changes one of its documents meanwhile."""
        decisions, after = self._planned(kind, records, _ATTEMPTS)
        if from_source:
            self._note_latest(records)
            self.route.source.taken(kind, [record.key for record in records])
            crash_point("chunk.after_taken")
        self._push(decisions, after)

    def _planned(
        self, kind: Kind, records: Sequence[SourceRecord], attempts: int
    ) -> tuple[list[Decision], dict[int, Known]]:
        try:
            return self._remember(kind, records)
        except Conflict as fault:
            if fault.code != FaultCode.CHANGED_MEANWHILE or attempts <= 1:
                raise
        return self._planned(kind, records, attempts - 1)

    def _remember(self, kind: Kind, records: Sequence[SourceRecord]) -> tuple[list[Decision], dict[int, Known]]:
        """Plan and commit the plan; returns it, with what is known afterwards where a decision changed something."""
        made_from = self.route.made_from(kind)
        known = self.route.journal.known(self.pair, kind, made_from, [record.key for record in records])
        decisions = self.decide(kind, records, known)
        changes, changed = [], []
        touched: list[int] = []
        unchanged = 0
        drifted = drift_in_words(self.route.journal, [one for one in decisions if one.after is State.DRIFTED])
        for decision in decisions:
            change = self._change(decision, made_from, drifted)
            if change is not None:
                changes.append(change)
                changed.append(decision)
            elif decision.known is not None and decision.known.state in _STANDING:
                touched.append(decision.known.id)
            elif decision.known is not None and decision.known.run != self.run:
                unchanged += 1
        crash_point("chunk.before_states")
        context = self.route.context(self.pair, self.run)
        remembered = self.route.journal.apply(context, changes)
        self.route.journal.touch(context, touched)
        self._keep_newer(decisions)
        links = [link for decision in decisions for link in decision.links]
        self.route.journal.save_links(context, links)
        self.gatherer.add_links(links)
        crash_point("chunk.after_states")
        self.unchanged += unchanged
        self.held += sum(decision.action is Action.HOLD for decision in decisions)
        return decisions, {id(decision): one for decision, one in zip(changed, remembered, strict=True)}

    def _keep_newer(self, decisions: Sequence[Decision]) -> None:
        newer = {
            one.known.id: None if one.fingerprint == one.known.fingerprint else one.record
            for one in decisions
            if one.under_way and one.known is not None and not isinstance(one.record, Unreadable)
        }
        if newer:
            self.route.journal.keep_newer(newer)

    def decide(self, kind: Kind, records: Sequence[SourceRecord], known: dict[str, Known]) -> list[Decision]:
        """Ask the planner about records of one kind."""
        made_from = self.route.made_from(kind)
        view = self.gatherer.view(kind, records, known)
        return plan(records, known, view, lambda key: external_reference(self.digest, kind, made_from, key))

    def _push(self, decisions: Sequence[Decision], after: dict[int, Known]) -> None:
        ready = []
        for decision in decisions:
            if decision.action is not Action.PUSH or decision.after is not State.WAITING:
                continue
            known = after.get(id(decision)) or decision.known
            if known is not None and not isinstance(decision.record, Unreadable):
                ready.append(Ready(known, decision.record, dict(decision.targets), decision.book_on))
        if self.route.options.stop_after_error:
            ready = self._until_first_problem(decisions, ready)
        if ready and self.ask_first:
            ready = self._not_there_yet(ready)
        if ready:
            self.pusher.push(ready)
        self.route.flush()

    def _not_there_yet(self, ready: list[Ready]) -> list[Ready]:
        """Leave out what the books have already: one look-up for all; what cannot be asked for is not sent."""
        by_reference = Idempotency.EXTERNAL_REFERENCE in self.route.target.manifest.idempotency
        parties = party_ids(self.route, self.pair)
        questions, asked = [], []
        for one in ready:
            if by_reference:
                questions.append(LookUp(one.known.kind, external_reference=self._reference(one.known)))
            elif Flag.RELEASED in one.known.flags:
                continue  # a person has looked into the books, and released it
            else:
                # On which day it was booked nobody knows any more, where closed periods put it on another.
                questions.append(question(one.document, None, parties))
            asked.append(one)
        answers = self.route.target.look_up(questions) if questions else []
        there, changes = set(), []
        for one, about, booked in zip(asked, questions, answers, strict=True):
            match = the_one(about, booked)
            if match is not None:
                there.add(one.known.id)
                done = Done(match.remote_id, match.number, match.total, match.tax_total, found=True)
                changes.append(exported_change(self.route, one.known, one.document, done))
        self.route.journal.apply(self.route.context(self.pair, self.run), changes)
        return [one for one in ready if one.known.id not in there]

    def _reference(self, known: Known) -> str:
        return external_reference(self.digest, known.kind, known.made_from, known.key)

    def _until_first_problem(self, decisions: Sequence[Decision], ready: list[Ready]) -> list[Ready]:
        sound = []
        keys = {one.known.key: one for one in ready}
        for decision in decisions:
            if decision.action is Action.HOLD:
                break
            if decision.record.key in keys:
                sound.append(keys[decision.record.key])
        return sound

    def area_is_stopped(self) -> bool:
        """Whether the option to stop an area after its first error has stopped it."""
        result = self.pusher.result
        return self.route.options.stop_after_error and bool(self.held or result.refused or result.in_doubt)

    def _note_latest(self, records: Sequence[SourceRecord]) -> None:
        zone, newest = self.route.timezone, self.latest
        moment = None if newest is None else in_zone(newest, zone)
        for record in records:
            if isinstance(record, Unreadable) or record.changed_at is None or record.changed_at is newest:
                continue
            changed = in_zone(record.changed_at, zone)
            # What claims to be changed in the future says nothing of what was changed until now, and would hide it.
            if (moment is None or changed > moment) and changed <= self.reading_began:
                newest, moment = record.changed_at, changed
        self.latest = newest

    def _change(self, decision: Decision, made_from: str, drifted: dict[int, str | None]) -> Change | None:
        if not decision.changed:
            return None
        record, known = decision.record, decision.known
        if decision.adopt is not None and not isinstance(record, Unreadable):
            found = decision.adopt
            done = Done(found.remote_id, found.number, found.total, found.tax_total, found=True)
            change = exported_change(self.route, known or _unseen(record.kind, made_from, record), record, done)
            return Change(
                State.EXPORTED,
                known,
                record,
                record.kind,
                made_from,
                _fingerprint(decision),
                change.problems,
                change.remote_id,
                set_flags=change.set_flags,
                booked_total=change.booked_total,
                details=change.details,
            )
        if decision.after is State.DRIFTED and known is not None and not isinstance(record, Unreadable):
            words = drifted.get(known.id)
            return None if words is None else drifted_change(known, record, words)
        content = None if decision.after is State.MARKED and known is not None else record
        flags = frozenset({Flag.BEFORE_BEGIN} if decision.before_begin else ())
        return Change(
            decision.after,
            known,
            content,
            record.kind,
            made_from,
            _fingerprint(decision),
            decision.problems,
            set_flags=flags,
        )


def _fingerprint(decision: Decision) -> bytes | None:
    if decision.fingerprint or isinstance(decision.record, Unreadable) or decision.after is State.MARKED:
        return decision.fingerprint or None
    return fingerprint(decision.record)


def _unseen(kind: Kind, made_from: str, record: SourceRecord) -> Known:
    return Known(0, kind, made_from, record.key, record.number, State.WAITING, "", b"", "", 0)
