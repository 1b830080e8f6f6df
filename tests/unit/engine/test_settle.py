"""Lost answers, crashes and queues: nothing is sent again until it is known what became of it."""

from datetime import date
from typing import Any

import pytest

from connector_service.contract.manifest import Idempotency, ListPolicy
from connector_service.contract.target import CompanyInfo
from connector_service.domain.kinds import Kind, State
from connector_service.domain.problems import Conflict, RetryLater
from connector_service.domain.reference import LinkKind, ReferenceKind, ReferenceRecord
from connector_service.engine.setup import RouteOptions
from tests.support.documents import plain
from tests.support.fake_target import Stumble
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig

SETTLES = {"settle_after_seconds": 60, "memory_seconds": 600}
REPLAY: dict[str, Any] = {"idempotency": (Idempotency.REPLAY, Idempotency.PERSON), "limits": SETTLES}
REFERENCE: dict[str, Any] = {"idempotency": (Idempotency.EXTERNAL_REFERENCE,), "limits": SETTLES}
SEARCH: dict[str, Any] = {"idempotency": (Idempotency.SEARCH, Idempotency.PERSON), "limits": SETTLES}
PERSON: dict[str, Any] = {"idempotency": (Idempotency.PERSON,), "limits": SETTLES}
QUEUED: dict[str, Any] = {"queued": True, "limits": {"batch_size": 3}}
ASKED = pytest.mark.parametrize(
    "ways", [REPLAY, REFERENCE, SEARCH], ids=["by replay", "by our reference", "by a search"]
)


@ASKED
@pytest.mark.parametrize("stumble", [Stumble.LOST_ANSWER, Stumble.LOST_RAISED, Stumble.WRONG_COUNT])
def test_booked_and_the_answer_lost(make_rig: MakeRig, ways: dict[str, Any], stumble: Stumble) -> None:
    rig = make_rig(target=ways)
    rig.shop.add(*[plain(INVOICE, place) for place in (1, 2, 3)])
    rig.adapter.stumbles.append(stumble)
    assert rig.run().exit == 0, "what is found at once needs nobody"
    assert set(rig.states().values()) == {"exported"}
    assert len(rig.books.entries) == 3
    assert ("in_doubt", "exported") in rig.events_of("sales_invoice-1")


@pytest.mark.parametrize("ways", [REFERENCE, SEARCH], ids=["by our reference", "by a search"])
def test_not_found_counts_only_after_the_time_to_settle(make_rig: MakeRig, ways: dict[str, Any]) -> None:
    rig = make_rig(target=ways)
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.stumbles.append(Stumble.LOST_REQUEST)
    assert rig.run().exit == 1
    rig.clock.forward(seconds=50)
    rig.run()
    assert (rig.state("sales_invoice-1"), rig.codes("sales_invoice-1")) == ("in_doubt", ["OUTCOME_UNKNOWN"])
    assert "DOCUMENT_IN_DOUBT" in rig.issues()
    assert len(rig.adapter.batches) == 1
    rig.clock.forward(seconds=11)
    assert rig.run().exit == 0
    assert rig.state("sales_invoice-1") is State.EXPORTED
    assert (len(rig.books.entries), rig.issues()) == (1, [])
    assert rig.known("sales_invoice-1").generation == 1


@ASKED
def test_what_the_target_is_still_working_on_is_waited_for(make_rig: MakeRig, ways: dict[str, Any]) -> None:
    rig = make_rig(target=ways)
    rig.adapter.slow_seconds = 45
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.stumbles.append(Stumble.SLOW)
    rig.run()
    assert rig.state("sales_invoice-1") is State.IN_DOUBT
    rig.clock.forward(seconds=50)
    rig.run()
    assert (rig.state("sales_invoice-1"), len(rig.books.entries)) == ("exported", 1)


@pytest.mark.parametrize("crash", [True, False])
def test_the_time_to_settle_runs_from_when_the_call_may_have_left(make_rig: MakeRig, crash: bool) -> None:
    # The intent was written long before: the adapter had to wait for its turn.
    rig = make_rig(target=REFERENCE)
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.slow_seconds = 50
    rig.adapter.stumbles.append(Stumble.SLOW)
    rig.adapter.during_push = lambda _prepared: rig.clock.forward(seconds=970)
    if crash:
        assert rig.crash_at("push.after_call")
    else:
        rig.run()
    for _ in range(3):
        rig.run()
        assert rig.state("sales_invoice-1") is State.IN_DOUBT
        rig.clock.forward(seconds=10)
    rig.clock.forward(seconds=30)
    rig.run()
    assert (rig.state("sales_invoice-1"), len(rig.books.entries)) == ("exported", 1)


def test_a_lost_replay_starts_the_time_anew(make_rig: MakeRig) -> None:
    rig = make_rig(
        target={"idempotency": (Idempotency.REPLAY, Idempotency.EXTERNAL_REFERENCE), "limits": SETTLES},
    )
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.stumbles.extend([Stumble.LOST_REQUEST, Stumble.LOST_REQUEST])
    rig.run()
    rig.clock.forward(seconds=590)
    rig.adapter.slow_seconds = 45
    rig.adapter.stumbles.append(Stumble.SLOW)
    rig.run()
    rig.clock.forward(seconds=30)
    rig.run()  # the target remembers no more, and may still be at the replay of half a minute ago
    assert rig.state("sales_invoice-1") is State.IN_DOUBT
    rig.clock.forward(seconds=60)
    rig.run()
    assert (rig.state("sales_invoice-1"), len(rig.books.entries)) == ("exported", 1)


def test_half_a_batch(make_rig: MakeRig) -> None:
    rig = make_rig(target=REPLAY)
    rig.shop.add(*[plain(INVOICE, place) for place in (1, 2, 3, 4)])
    rig.adapter.stumbles.append(Stumble.HALF)
    rig.run()
    rig.run()
    assert set(rig.states().values()) == {"exported"}
    assert len(rig.books.entries) == 4


def test_one_answer_of_a_batch_lost(make_rig: MakeRig) -> None:
    rig = make_rig(target=REPLAY)
    rig.shop.add(*[plain(INVOICE, place) for place in (1, 2, 3)])
    rig.adapter.stumbles.append(Stumble.ONE_UNKNOWN)
    rig.run()
    assert set(rig.states().values()) == {"exported"}
    assert len(rig.books.entries) == 3


def test_replays_stop_once_a_person_has_said_of_one_that_it_was_not_booked(make_rig: MakeRig) -> None:
    rig = make_rig(target=REPLAY)
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2))
    rig.adapter.stumbles.extend([Stumble.LOST_REQUEST, Stumble.THROTTLED])
    rig.run()
    assert set(rig.states().values()) == {"in_doubt"}
    rig.settle("sales_invoice-1", None)
    rig.run()
    assert rig.states() == {"sales_invoice-1": "exported", "sales_invoice-2": "in_doubt"}
    rig.settle("sales_invoice-2", None)
    rig.run()
    assert set(rig.states().values()) == {"exported"}
    assert len(rig.books.entries) == 2


def test_where_nothing_can_be_asked_a_person_decides(make_rig: MakeRig) -> None:
    rig = make_rig(target=PERSON, source={"mark_exported": True})
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2), plain(INVOICE, 3))
    rig.adapter.stumbles.append(Stumble.LOST_ANSWER)
    rig.run()
    rig.clock.forward(days=9)
    result = rig.run()
    assert (result.exit, set(rig.states().values())) == (1, {"in_doubt"})
    assert len(rig.adapter.batches) == 1
    rig.settle("sales_invoice-1", rig.books.by_key("sales_invoice-1")[0].remote_id)
    rig.books.entries = [one for one in rig.books.entries if one.document.key != "sales_invoice-2"]
    rig.settle("sales_invoice-2", None)
    rig.run()
    assert rig.states() == {
        "sales_invoice-1": "exported",
        "sales_invoice-2": "exported",
        "sales_invoice-3": "in_doubt",
    }
    assert rig.shop.marked[INVOICE, "sales_invoice-1", False] == 1, "what a person settled is marked at the source too"
    with pytest.raises(Conflict):
        rig.settle("sales_invoice-1", None)


def test_a_time_record_cannot_be_searched(make_rig: MakeRig) -> None:
    rig = make_rig(target=SEARCH)
    rig.shop.add(plain(Kind.TIME_RECORD, 1))
    rig.adapter.stumbles.append(Stumble.LOST_REQUEST)
    rig.run()
    rig.clock.forward(days=9)
    rig.run()
    assert rig.state("T1") is State.IN_DOUBT


def test_a_search_is_not_taken_in_by_another_party(make_rig: MakeRig) -> None:
    rig = make_rig(target={**SEARCH, "number_lookup": False})
    ours = plain(BILL, 1, number="7", party_key="S1")
    rig.shop.add(ours)
    rig.books.book(plain(BILL, 1, number="7", party_key="S2", key="other"), "", "S2")
    rig.adapter.stumbles.append(Stumble.LOST_REQUEST)
    rig.run()
    rig.clock.forward(seconds=100)
    rig.run()
    assert len(rig.books.by_key(ours.key)) == 1


def test_a_search_finds_what_was_booked_on_the_next_open_day(make_rig: MakeRig) -> None:
    rig = make_rig(target=SEARCH, options=RouteOptions(closed_period="next_open"))
    rig.adapter.info = CompanyInfo("C1", "Company", locked_until=date(2026, 1, 31))
    rig.shop.add(plain(INVOICE, 1, date=date(2026, 1, 20)))
    rig.adapter.stumbles.append(Stumble.LOST_ANSWER)
    rig.run()
    rig.clock.forward(seconds=100)
    rig.run()
    assert [one.document.date for one in rig.books.entries] == [date(2026, 2, 1)]
    assert rig.state("sales_invoice-1") is State.EXPORTED


def test_a_search_names_the_linked_party(make_rig: MakeRig) -> None:
    lists = {LinkKind.CUSTOMER: ListPolicy.CLOSED}
    rig = make_rig(target={**SEARCH, "lists": lists, "reference_kinds": frozenset({ReferenceKind.CUSTOMER})})
    rig.books.lists[ReferenceKind.CUSTOMER] = [
        ReferenceRecord(kind=ReferenceKind.CUSTOMER, id="77", code="", name="Customer 1")
    ]
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.stumbles.append(Stumble.LOST_ANSWER)
    rig.run()
    assert (rig.state("sales_invoice-1"), rig.books.entries[0].party_id) == ("exported", "77")


@ASKED
@pytest.mark.parametrize(
    "point",
    [
        "run.opened",
        "chunk.before_states",
        "chunk.after_states",
        "chunk.after_taken",
        "push.before_intent",
        "push.after_intent",
        "push.after_call",
        "push.before_outcome",
        "push.after_outcome",
        "writeback.after_mark",
    ],
)
def test_a_crash_at_any_point_of_a_run(make_rig: MakeRig, ways: dict[str, Any], point: str) -> None:
    rig = make_rig(target={**ways, "limits": {**SETTLES, "batch_size": 2}})
    rig.shop.add(*[plain(kind, place) for kind in (INVOICE, BILL) for place in (1, 2, 3)])
    assert rig.crash_at(point)
    for _ in range(3):
        rig.run()
        rig.clock.forward(seconds=100)
    assert set(rig.states().values()) == {"exported"}
    assert len(rig.books.entries) == 6
    assert rig.store.runs.runs("main")[-1].exit == 5


@pytest.mark.parametrize("point", ["settle.before_replay", "settle.after_replay", "settle.before_outcome"])
def test_a_crash_while_settling(make_rig: MakeRig, point: str) -> None:
    rig = make_rig(target=REPLAY)
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2))
    rig.adapter.stumbles.append(Stumble.LOST_REQUEST)
    assert rig.crash_at(point)
    rig.run()
    assert set(rig.states().values()) == {"exported"}
    assert len(rig.books.entries) == 2


def test_nothing_is_sent_while_the_target_cannot_be_asked(make_rig: MakeRig) -> None:
    rig = make_rig(target=REFERENCE)
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.stumbles.append(Stumble.LOST_ANSWER)
    rig.adapter.fail("look_up", RetryLater("The books are out of reach."))
    # The look-up of numbers comes first in a run, so that this run does not get as far as sending.
    assert rig.run().exit == 3
    rig.run()
    assert len(rig.books.entries) == 1


def test_a_look_up_that_fails_after_the_push_ends_the_run_in_order(make_rig: MakeRig) -> None:
    rig = make_rig(target={**REFERENCE, "number_lookup": False}, source={"mark_exported": True})
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2))
    rig.run()
    rig.shop.add(plain(INVOICE, 3))
    rig.adapter.stumbles.append(Stumble.LOST_ANSWER)
    rig.adapter.fail("look_up", RetryLater("The books are out of reach."))
    result = rig.run()
    assert (result.exit, result.counts["unchanged"], result.counts["in_doubt"]) == (3, 2, 1)
    assert rig.run().exit == 0
    assert len(rig.books.entries) == 3


@pytest.mark.parametrize("ways", [REFERENCE, PERSON], ids=["by our reference", "by a person"])
@pytest.mark.parametrize("incremental", [True, False])
def test_an_edit_while_it_is_in_doubt_is_seen_when_it_is_settled(
    make_rig: MakeRig, ways: dict[str, Any], incremental: bool
) -> None:
    limits = {"settle_after_seconds": 3 * 86400}
    rig = make_rig(
        target={**ways, "limits": limits, "number_lookup": False}, source={"incremental": incremental, "probe": False}
    )
    rig.adapter.slow_seconds = 2 * 86400
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.stumbles.append(Stumble.SLOW)
    rig.run()
    rig.shop.edit(INVOICE, "sales_invoice-1", note="Changed")
    for place in (2, 3):  # the reading goes on past the moment of the edit
        rig.run()
        assert rig.state("sales_invoice-1") is State.IN_DOUBT
        rig.clock.forward(hours=1)
        rig.shop.add(plain(INVOICE, place))
    rig.run()
    rig.clock.forward(days=5)
    if ways is PERSON:
        rig.settle("sales_invoice-1", "R1")
    else:
        rig.run()
    assert rig.state("sales_invoice-1") is State.DRIFTED
    assert "Note was empty, is Changed" in rig.row("sales_invoice-1").problems[0].why


def test_an_edit_while_it_is_queued_is_seen_when_it_is_fetched(make_rig: MakeRig) -> None:
    rig = make_rig(target={**QUEUED, "number_lookup": False}, source={"incremental": True})
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    rig.shop.edit(INVOICE, "sales_invoice-1", note="Changed")
    for place in (2, 3):
        rig.run()
        rig.clock.forward(hours=1)
        rig.shop.add(plain(INVOICE, place))
    rig.books.fetch()
    rig.run()
    assert rig.state("sales_invoice-1") is State.DRIFTED


def test_an_edit_while_it_is_in_doubt_goes_out_where_nothing_was_booked(make_rig: MakeRig) -> None:
    rig = make_rig(
        target={**PERSON, "number_lookup": False}, source={"consumes": True, "mark_exported": False, "probe": False}
    )
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.stumbles.append(Stumble.LOST_REQUEST)
    rig.run()
    rig.shop.add(plain(INVOICE, 1, note="Changed"))
    rig.run()
    rig.settle("sales_invoice-1", None)
    rig.run()
    booked = rig.books.entries[0].document
    assert (rig.state("sales_invoice-1"), getattr(booked, "note", "")) == ("exported", "Changed")
