"""One chunk of records of one kind: planned, remembered, then pushed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.journal import Change, Known
from connector_service.contract.manifest import Idempotency
from connector_service.contract.target import Done
from connector_service.domain.documents import SourceRecord, Unreadable
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import Kind, State
from connector_service.domain.messages import problem
from connector_service.domain.problems import Stop
from connector_service.domain.status_codes import IssueCode, OutcomeCode
from connector_service.engine.checks import label
from connector_service.engine.differences import differences, in_words
from connector_service.engine.gather import Gatherer
from connector_service.engine.plan import Action, Decision, plan
from connector_service.engine.push import Pusher, Ready, exported_change
from connector_service.engine.settle import question, the_one
from connector_service.engine.setup import Route, external_reference

CHUNK: Final = 500
"""Records that are planned and remembered together."""


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

    def take(self, kind: Kind, records: Sequence[SourceRecord], from_source: bool) -> None:
        """Plan, remember and push one chunk."""
        made_from = self.route.made_from(kind)
        known = self.route.journal.known(self.pair, kind, made_from, [record.key for record in records])
        decisions = self.decide(kind, records, known)
        changes, changed = [], []
        touched: list[int] = []
        drifted = self._drift_details([one for one in decisions if one.after is State.DRIFTED])
        for decision in decisions:
            change = self._change(decision, made_from, drifted)
            if change is not None:
                changes.append(change)
                changed.append(decision)
            elif decision.action in (Action.HOLD, Action.PUSH) and decision.known is not None:
                touched.append(decision.known.id)
            elif decision.known is not None and decision.known.run != self.run:
                self.unchanged += 1
        self.held += sum(decision.action is Action.HOLD for decision in decisions)
        crash_point("chunk.before_states")
        context = self.route.context(self.pair, self.run)
        remembered = self.route.journal.apply(context, changes)
        self.route.journal.touch(context, touched)
        links = [link for decision in decisions for link in decision.links]
        self.route.journal.save_links(context, links)
        self.gatherer.add_links(links)
        crash_point("chunk.after_states")
        if from_source:
            self._note_latest(records)
            self.route.source.taken(kind, [record.key for record in records])
            crash_point("chunk.after_taken")
        after = {id(decision): one for decision, one in zip(changed, remembered, strict=True)}
        self._push(decisions, after)

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
        ways = self.route.target.manifest.idempotency
        if Idempotency.EXTERNAL_REFERENCE not in ways and Idempotency.SEARCH not in ways:
            found = problem(IssueCode.STORE_BEHIND, why=f"{self.route.target.manifest.title} cannot be searched.")
            self.pusher.result.left += len(ready)
            raise Stop(found.what, why=found.why, fix="Mark or retry each document by hand.", code=found.code)
        by_reference = Idempotency.EXTERNAL_REFERENCE in ways
        questions = [question(one.known, one.document, self._reference(one.known), by_reference) for one in ready]
        answers = self.route.target.look_up(questions)
        absent, changes = [], []
        for one, asked, booked in zip(ready, questions, answers, strict=True):
            match = the_one(asked, booked)
            if match is None:
                absent.append(one)
            else:
                done = Done(match.remote_id, match.number, match.total, match.tax_total, found=True)
                changes.append(exported_change(self.route, one.known, one.document, done))
        self.route.journal.apply(self.route.context(self.pair, self.run), changes)
        return absent

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
        for record in records:
            if not isinstance(record, Unreadable) and record.changed_at is not None:
                # A source mixes zones rarely, but comparing them would end the run: the text form orders either.
                if self.latest is None or record.changed_at.isoformat() > self.latest.isoformat():
                    self.latest = record.changed_at

    def _drift_details(self, decisions: Sequence[Decision]) -> dict[int, str | None]:
        """By document: in what it differs from what is booked; ``None`` where that was noted before."""
        ids = [one.known.id for one in decisions if one.known]
        booked = self.route.journal.content(ids)
        newer = self.route.journal.content(ids, newer=True)
        details: dict[int, str | None] = {}
        for one in decisions:
            if one.known is None or isinstance(one.record, Unreadable):
                continue
            before, noted = booked.get(one.known.id), newer.get(one.known.id)
            if noted is not None and fingerprint(noted) == fingerprint(one.record):
                details[one.known.id] = None
            else:
                details[one.known.id] = in_words(differences(before, one.record)) if before else ""
        return details

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
        problems = decision.problems
        if decision.after is State.DRIFTED and known is not None and not isinstance(record, Unreadable):
            words = drifted.get(known.id)
            if words is None:
                return None
            problems = (problem(OutcomeCode.CHANGED_AT_SOURCE, document=label(record), differences=words),)
        content = None if decision.after is State.MARKED and known is not None else record
        return Change(decision.after, known, content, record.kind, made_from, _fingerprint(decision), problems)


def _fingerprint(decision: Decision) -> bytes | None:
    if decision.fingerprint or isinstance(decision.record, Unreadable) or decision.after is State.MARKED:
        return decision.fingerprint or None
    return fingerprint(decision.record)


def _unseen(kind: Kind, made_from: str, record: SourceRecord) -> Known:
    return Known(0, kind, made_from, record.key, record.number, State.WAITING, "", b"", "", 0)
