"""What every target must do, driven by its manifest: what it declares is real, what it does not is refused.

A target joins by a class that inherits ``TargetSuite`` and has a fixture ``target_under_test``.
"""

import threading
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Protocol

import pytest

from connector_service.contract.manifest import Idempotency, ListPolicy, TargetManifest
from connector_service.contract.target import (
    BookedState,
    Done,
    LookUp,
    Outcome,
    Posting,
    Prepared,
    Queued,
    Refused,
    Target,
    Unknown,
)
from connector_service.domain.documents import Attachment, Document, TimeRecord
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.parties import Party
from connector_service.domain.problems import ConnectorError, NeedsUser, RetryLater
from connector_service.domain.reference import LinkKind, ReferenceKind
from tests.support.documents import plain, total_of

UNTIL = date(2026, 12, 31)


class TargetUnderTest(Protocol):
    """One company at a target, which the suite may write into."""

    @property
    def manifest(self) -> TargetManifest:
        """What the target declares."""
        ...

    @property
    def replay_is_safe(self) -> bool:
        """Whether the same bytes may be pushed again at any time without booking twice."""
        ...

    def open(self) -> Target:
        """A new adapter for the same company, as after a restart; the harness closes it at the end."""
        ...

    def posting(self, document: Document, reference: str) -> Posting:
        """The document with the target's ids for what it uses, as the engine would link them."""
        ...

    def refusable(self, kind: Kind, reference: str) -> Posting | None:
        """A posting that the target refuses by itself; ``None`` where the engine's checks leave none."""
        ...

    def lose_next_answer(self) -> bool:
        """Let the next write be done and its answer be lost; ``False`` where answers cannot be lost."""
        ...

    def out_of_reach(self) -> AbstractContextManager[None]:
        """The target cannot be reached meanwhile."""
        ...

    def settle(self, target: Target, prepared: Prepared, outcomes: list[Outcome]) -> list[Outcome]:
        """Let a target that fetches its work do so; for others the outcomes as they are."""
        ...


def reference_of(kind: Kind, place: int) -> str:
    """An external reference as the engine would make it: the same for every try of a unit."""
    return f"CS-{sha256(f'{kind}/{place}'.encode()).hexdigest()[:20]}"


class TargetSuite:
    """Inherit, and give a fixture ``target_under_test``."""

    @pytest.fixture
    def target(self, target_under_test: TargetUnderTest) -> Target:
        """The target, opened; its company has been read, as a run begins."""
        target = target_under_test.open()
        target.company()
        return target

    def prepared(self, under_test: TargetUnderTest, target: Target, kind: Kind, places: range) -> Prepared:
        """One call with plain documents."""
        postings = [under_test.posting(plain(kind, place), reference_of(kind, place)) for place in places]
        return target.prepare(kind, postings, f"key-{kind}-{places.start}")

    def push(self, under_test: TargetUnderTest, target: Target, kind: Kind, places: range) -> list[Done]:
        """Book plain documents; all must be done."""
        prepared = self.prepared(under_test, target, kind, places)
        outcomes = under_test.settle(target, prepared, target.push(prepared))
        done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
        assert len(done) == len(outcomes) == len(places), outcomes
        return done

    def kinds(self, under_test: TargetUnderTest) -> list[Kind]:
        """What the target takes, in a fixed order."""
        return [kind for kind in Kind if kind in under_test.manifest.kinds]

    def test_a_company_keeps_its_id(self, target: Target, target_under_test: TargetUnderTest) -> None:
        first = target.company()
        assert first.id
        assert target_under_test.open().company().id == first.id

    def test_limits_make_sense(self, target_under_test: TargetUnderTest) -> None:
        manifest = target_under_test.manifest
        assert manifest.limits.batch_size >= 1
        assert manifest.limits.concurrent_calls >= 1
        assert manifest.idempotency
        assert manifest.reference_since <= manifest.reference_kinds
        assert manifest.unique_numbers <= manifest.kinds
        if Idempotency.REPLAY in manifest.idempotency:
            assert manifest.limits.memory_seconds > 0
        for kind, policy in manifest.lists.items():
            if policy is ListPolicy.CLOSED:
                named = ReferenceKind.PROJECT_CODE if kind is LinkKind.PROJECT else ReferenceKind(kind.value)
                assert named in manifest.reference_kinds, f"{kind}: a closed list must be one that can be pulled"

    @pytest.mark.parametrize("kind", list(Kind))
    def test_preparing_is_pure_and_keeps_the_order(
        self, target: Target, target_under_test: TargetUnderTest, kind: Kind
    ) -> None:
        if kind not in target_under_test.manifest.kinds:
            with pytest.raises(ConnectorError):
                self.prepared(target_under_test, target, kind, range(1, 2))
            return
        size = min(4, target_under_test.manifest.limits.batch_size)
        once = self.prepared(target_under_test, target, kind, range(1, size + 1))
        again = self.prepared(target_under_test, target_under_test.open(), kind, range(1, size + 1))
        assert once == again
        assert once.body
        assert once.kind is kind
        assert once.members == tuple(reference_of(kind, place) for place in range(1, size + 1))
        questions = [LookUp(kind, external_reference=reference) for reference in once.members]
        if Idempotency.EXTERNAL_REFERENCE in target_under_test.manifest.idempotency:
            assert target.look_up(questions) == [[]] * size, "preparing must not book"

    @pytest.mark.parametrize("kind", list(Kind))
    def test_what_is_pushed_stands_in_the_books_to_the_cent(
        self, target: Target, target_under_test: TargetUnderTest, kind: Kind
    ) -> None:
        if kind not in target_under_test.manifest.kinds:
            pytest.skip("not a kind of this target")
        size = min(5, target_under_test.manifest.limits.batch_size)
        documents = [plain(kind, place) for place in range(1, size + 1)]
        done = self.push(target_under_test, target, kind, range(1, size + 1))
        assert len({one.remote_id for one in done}) == size
        assert not any(one.found for one in done)
        for document, outcome in zip(documents, done, strict=True):
            if not isinstance(document, TimeRecord):
                assert outcome.total in (None, document.total)
                assert outcome.tax_total in (None, document.tax_total)
        booked = {one.remote_id: one for one in target_under_test.open().booked(kind, date(2026, 1, 1), UNTIL)}
        assert booked.keys() == {one.remote_id for one in done}
        for document, outcome in zip(documents, done, strict=True):
            one = booked[outcome.remote_id]
            assert (one.total, one.date, one.state) == (total_of(document), document.date, BookedState.OPEN)
            assert one.number == outcome.number
            if not isinstance(document, TimeRecord):
                assert (one.currency, one.tax_total) == (document.currency, document.tax_total)

    def test_booked_keeps_to_its_window_and_kind(self, target: Target, target_under_test: TargetUnderTest) -> None:
        for kind in self.kinds(target_under_test):
            for place in range(1, 5):
                self.push(target_under_test, target, kind, range(place, place + 1))
        for kind in self.kinds(target_under_test):
            days = [plain(kind, place).date for place in range(1, 5)]
            found = list(target.booked(kind, days[1], days[2]))
            assert [one.date for one in found] == days[1:3]

    @pytest.mark.parametrize("kind", list(Kind))
    def test_it_is_found_by_our_reference_after_a_restart(
        self, target: Target, target_under_test: TargetUnderTest, kind: Kind
    ) -> None:
        manifest = target_under_test.manifest
        if kind not in manifest.kinds or Idempotency.EXTERNAL_REFERENCE not in manifest.idempotency:
            pytest.skip("not declared")
        done = self.push(target_under_test, target, kind, range(1, 2))
        questions = [LookUp(kind, external_reference=reference_of(kind, place)) for place in (2, 1, 3)]
        before, found, after = target_under_test.open().look_up(questions)
        assert (before, after) == ([], [])
        assert [(one.remote_id, one.external_reference) for one in found] == [
            (done[0].remote_id, reference_of(kind, 1)),
        ]

    def test_numbers_are_looked_up_many_at_once(self, target: Target, target_under_test: TargetUnderTest) -> None:
        if not target_under_test.manifest.number_lookup:
            pytest.skip("not declared")
        for kind in self.kinds(target_under_test):
            if not kind.is_money:
                continue
            done = self.push(target_under_test, target, kind, range(1, 2))
            document = plain(kind, 1)
            number = getattr(document, "number", "")
            questions = [LookUp(kind, number=f"NONE-{place}") for place in range(60)]
            questions.append(LookUp(kind, number=number))
            *nothing, found = target.look_up(questions)
            assert not any(nothing)
            assert [one.remote_id for one in found] == [done[0].remote_id]

    def test_nothing_asked_is_nothing_answered(self, target: Target) -> None:
        assert target.look_up([]) == []

    def test_the_same_bytes_again_book_nothing_again(self, target: Target, target_under_test: TargetUnderTest) -> None:
        replay = Idempotency.REPLAY in target_under_test.manifest.idempotency
        if not (replay or target_under_test.replay_is_safe):
            pytest.skip("not declared")
        for kind in self.kinds(target_under_test):
            prepared = self.prepared(target_under_test, target, kind, range(1, 2))
            first = target.push(prepared)
            second = target_under_test.open().push(prepared)
            assert [one.remote_id for one in first if isinstance(one, Done)] == [
                one.remote_id for one in second if isinstance(one, Done)
            ]
            assert len(list(target.booked(kind, date(2026, 1, 1), UNTIL))) == 1

    def test_one_bad_document_keeps_its_place_and_books_nothing(
        self, target: Target, target_under_test: TargetUnderTest
    ) -> None:
        for kind in self.kinds(target_under_test):
            bad = target_under_test.refusable(kind, reference_of(kind, 2))
            if bad is None:
                continue
            good = [target_under_test.posting(plain(kind, place), reference_of(kind, place)) for place in (1, 3)]
            batch = [good[0], bad, good[1]] if target_under_test.manifest.limits.batch_size >= 3 else [bad]
            outcomes = target.push(target.prepare(kind, batch, "key"))
            refused = outcomes[1] if len(batch) > 1 else outcomes[0]
            assert isinstance(refused, Refused), refused
            assert refused.problem.what
            assert refused.problem.fix
            assert [type(one) for one in outcomes].count(Done) == len(batch) - 1
            assert len(list(target.booked(kind, date(1900, 1, 1), date(2999, 1, 1)))) == len(batch) - 1

    def test_pushes_at_once_book_each_document_once(self, target: Target, target_under_test: TargetUnderTest) -> None:
        kind = self.kinds(target_under_test)[0]
        size = min(3, target_under_test.manifest.limits.batch_size)
        outcomes: dict[int, list[Outcome]] = {}
        calls = {
            at: self.prepared(target_under_test, target, kind, range(at, at + size)) for at in range(1, 4 * size, size)
        }

        def work(at: int) -> None:
            outcomes[at] = target.push(calls[at])

        threads = [threading.Thread(target=work, args=(at,)) for at in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for at, prepared in calls.items():
            outcomes[at] = target_under_test.settle(target, prepared, outcomes[at])
        ids = [one.remote_id for group in outcomes.values() for one in group if isinstance(one, Done)]
        assert len(ids) == len(set(ids)) == len(calls) * size
        assert sorted(one.remote_id for one in target.booked(kind, date(2026, 1, 1), UNTIL)) == sorted(ids)

    def test_a_push_is_queued_only_where_that_is_declared(
        self, target: Target, target_under_test: TargetUnderTest
    ) -> None:
        kind = self.kinds(target_under_test)[0]
        outcomes = target.push(self.prepared(target_under_test, target, kind, range(1, 2)))
        assert isinstance(outcomes[0], Queued) is target_under_test.manifest.queued
        if not target_under_test.manifest.queued:
            assert target.collect([]) == []
            assert target.withdraw([]) == []
            with pytest.raises(ConnectorError):
                target.collect(["1"])
            with pytest.raises(ConnectorError):
                target.withdraw(["1"])

    def test_voiding(self, target: Target, target_under_test: TargetUnderTest) -> None:
        for kind in self.kinds(target_under_test):
            done = self.push(target_under_test, target, kind, range(1, 3))
            gone, stays = done
            if not target_under_test.manifest.void:
                with pytest.raises(ConnectorError):
                    target.void(kind, gone.remote_id, "void-1", UNTIL)
                continue
            for _ in range(2):
                assert isinstance(target.void(kind, gone.remote_id, f"void-{kind}", UNTIL), Done)
            states = {
                one.remote_id: one.state for one in target_under_test.open().booked(kind, date(2026, 1, 1), UNTIL)
            }
            assert states.get(gone.remote_id, BookedState.VOID) is BookedState.VOID
            assert states[stays.remote_id] is BookedState.OPEN
            assert isinstance(target.void(kind, "no-such-document", "void-2", UNTIL), Refused)

    def test_attaching(self, target: Target, target_under_test: TargetUnderTest) -> None:
        kind = next(kind for kind in self.kinds(target_under_test) if kind.is_money)
        done = self.push(target_under_test, target, kind, range(1, 2))
        content = b"%PDF-1.7 a drawing"
        attachment = Attachment("drawing.pdf", "application/pdf", "here", len(content), sha256(content).hexdigest())
        if not target_under_test.manifest.attach:
            with pytest.raises(ConnectorError):
                target.attach(kind, done[0].remote_id, attachment, content)
            return
        target.attach(kind, done[0].remote_id, attachment, content)
        target.attach(kind, done[0].remote_id, attachment, content)
        with pytest.raises(ConnectorError):
            target.attach(kind, done[0].remote_id, attachment, content + b"changed")
        with pytest.raises(ConnectorError):
            target.attach(kind, "no-such-document", attachment, content)

    @pytest.mark.parametrize("kind", list(ReferenceKind))
    def test_lists(self, target: Target, target_under_test: TargetUnderTest, kind: ReferenceKind) -> None:
        for document_kind in self.kinds(target_under_test):
            self.push(target_under_test, target, document_kind, range(1, 2))
        if kind not in target_under_test.manifest.reference_kinds:
            with pytest.raises(ConnectorError):
                list(target.reference(kind, None))
            return
        records = list(target.reference(kind, None))
        assert records
        assert {record.kind for record in records} == {kind}
        assert all(record.id and record.name for record in records)
        assert len({record.id for record in records}) == len(records)

    @pytest.mark.parametrize("kind", list(PartyKind))
    def test_writing_parties(self, target: Target, target_under_test: TargetUnderTest, kind: PartyKind) -> None:
        party = Party(kind=kind, key="P1", name="Smith & Söhne")
        if kind not in target_under_test.manifest.write_parties:
            with pytest.raises(ConnectorError):
                target.write_party(kind, party)
            return
        made = target.write_party(kind, party)
        changed = target.write_party(kind, Party(kind=kind, key="P1", name="Smith & Sons"), made.id)
        assert changed.id == made.id
        found = {record.id: record.name for record in target.reference(ReferenceKind(kind.value), None)}
        assert found[made.id] == "Smith & Sons"

    def test_payments(self, target: Target, target_under_test: TargetUnderTest) -> None:
        kind = next(kind for kind in self.kinds(target_under_test) if kind.is_money)
        done = self.push(target_under_test, target, kind, range(1, 2))
        if not target_under_test.manifest.payments:
            with pytest.raises(ConnectorError):
                target.payments(kind, [done[0].remote_id])
            return
        (payment,) = target.payments(kind, [done[0].remote_id])
        assert (payment.remote_id, payment.paid_in_full, payment.paid) == (done[0].remote_id, False, Decimal(0))

    def test_a_lost_answer_is_unknown_and_can_be_found(
        self, target: Target, target_under_test: TargetUnderTest
    ) -> None:
        kind = self.kinds(target_under_test)[0]
        prepared = self.prepared(target_under_test, target, kind, range(1, 2))
        if not target_under_test.lose_next_answer():
            pytest.skip("answers of this target cannot be lost")
        outcomes = target.push(prepared)
        assert [type(one) for one in outcomes] == [Unknown]
        if Idempotency.EXTERNAL_REFERENCE in target_under_test.manifest.idempotency:
            (found,) = target.look_up([LookUp(kind, external_reference=prepared.members[0])])
            assert len(found) == 1

    def test_out_of_reach_is_said_and_books_nothing(self, target: Target, target_under_test: TargetUnderTest) -> None:
        kind = self.kinds(target_under_test)[0]
        prepared = self.prepared(target_under_test, target, kind, range(1, 2))
        with target_under_test.out_of_reach():
            with pytest.raises((RetryLater, NeedsUser)) as caught:
                target.push(prepared)
            assert caught.value.what
            assert caught.value.fix
            with pytest.raises((RetryLater, NeedsUser)):
                target.look_up([LookUp(kind, external_reference=prepared.members[0])])
        assert list(target.booked(kind, date(2026, 1, 1), UNTIL)) == []
        assert isinstance(target_under_test.settle(target, prepared, target.push(prepared))[0], Done)
