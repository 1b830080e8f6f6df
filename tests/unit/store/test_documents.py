"""What the store answers of documents, and that its counts are right whatever was done."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_service.contract.journal import Change, Known
from connector_service.contract.source import Window
from connector_service.domain.documents import Head, Unreadable
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import Flag, Kind, State
from connector_service.store.batch import WayNotAllowed, steps
from connector_service.store.repository import Repository
from tests.support.documents import FIRST_DAY, plain
from tests.unit.audit.support import fast_folder
from tests.unit.store.support import PERSON, Place, keys, open_store

S = State
INVOICE, BILL = Kind.SALES_INVOICE, Kind.VENDOR_BILL
BEGIN = date(2026, 3, 1)


def head(key: str, day: date = FIRST_DAY, **more: Any) -> Head:
    return Head(
        **{
            "key": key,
            "number": f"N-{key}",
            "date": day,
            "party_key": "C1",
            "currency": "EUR",
            "total_minor": 100,
            **more,
        }
    )


# -- what is known -----------------------------------------------------------------------------------------------------


def test_known_finds_units_of_one_pair_kind_and_alternative(place: Place) -> None:
    store = place.store
    (own,) = place.add(plain(INVOICE))
    (packed,) = place.add(plain(INVOICE), made_from="packing_list")
    (bill,) = place.add(plain(BILL, key=own.key))
    other = store.pair("sql:shop", "another company")
    assert store.known(place.pair, INVOICE, "", [own.key, "no such"]) == {own.key: own}
    assert store.known(place.pair, INVOICE, "packing_list", [own.key]) == {own.key: packed}
    assert store.known(place.pair, BILL, "", [own.key]) == {own.key: bill}
    assert store.known(other, INVOICE, "", [own.key]) == {}
    assert store.known(place.pair, INVOICE, "", []) == {}


def test_known_takes_any_number_of_keys_and_any_text(place: Place) -> None:
    wanted = ["a'b", 'say "hi"', "?", "%", "a,b", "\x00", "é", "e\u0301", "A", "a", " a", *map(str, range(1200))]
    place.add(*(plain(INVOICE, number, key=key) for number, key in enumerate(wanted)))
    found = place.store.known(place.pair, INVOICE, "", [*wanted, "ab", "_"])
    assert sorted(found) == sorted(wanted)
    assert all(one.key == key for key, one in found.items())
    ids = [one.id for one in found.values()]
    assert [one.id for one in place.store.by_ids(ids[::-1])] == sorted(ids) or len(ids) > 500
    assert {one.id for one in place.store.by_ids(ids)} == set(ids)


def test_one_source_and_company_has_one_number_for_ever(folder: Path) -> None:
    store = open_store(folder)
    pairs = {(source, company): store.pair(source, company) for source in ("a", "b") for company in ("1", "2")}
    assert len(set(pairs.values())) == 4
    assert store.find_pair("a", "3") is None
    store.close()
    store = open_store(folder)
    assert {both: store.pair(*both) for both in pairs} == pairs
    assert len({store.pair_digest(number) for number in pairs.values()}) == 4
    store.close()


def test_same_numbers_tells_every_unit_that_carries_one_but_marked_ones(place: Place) -> None:
    place.add(plain(INVOICE, 1, number="X", party_key="C1"), plain(INVOICE, 2, number="X", party_key="C2"))
    place.lead(place.add(plain(INVOICE, 3, number="X")), S.EXPORTED)
    place.add(plain(INVOICE, 4, number="X"), state=S.MARKED)
    place.add(plain(INVOICE, 5, number="x"), plain(INVOICE, 6, number=""), plain(BILL, 7, number="X"))
    found = place.store.same_numbers(place.pair, INVOICE, ["X", "", "none"])
    assert set(found) == {"X"}
    assert sorted(found["X"]) == [
        ("sales_invoice-1", "C1", S.WAITING),
        ("sales_invoice-2", "C2", S.WAITING),
        ("sales_invoice-3", "C3", S.EXPORTED),
    ]


def test_open_documents_come_page_by_page_with_their_content(place: Place) -> None:
    documents = [plain(INVOICE, number) for number in range(1, 8)]
    known = place.add(*documents)
    place.lead(known[:2], S.EXPORTED)
    held = place.lead(known[2:4], S.HELD)
    (broken,) = place.store.apply(
        place.context(), [Change(S.UNREADABLE, record=Unreadable(INVOICE, "row 9", "No date.", "Give it one."))]
    )
    seen, after = [], 0
    while page := place.store.open_documents(place.pair, (S.WAITING, S.HELD), after, 2):
        assert len(page) <= 2
        seen += page
        after = page[-1].known.id
    assert [one.known for one in seen] == [*held, *known[4:]]
    assert [one.document for one in seen] == documents[2:]
    (only,) = place.store.open_documents(place.pair, (S.UNREADABLE,), 0, 10)
    assert (only.known, only.document) == (broken, None)


def test_stored_gives_what_lies_in_a_window_whatever_its_state(place: Place) -> None:
    known = place.add(*(plain(INVOICE, number) for number in range(1, 11)), plain(BILL, 1))
    place.lead(known[:3], S.EXPORTED)
    window = Window(FIRST_DAY + timedelta(days=2), FIRST_DAY + timedelta(days=5))
    assert keys(one.known for one in place.store.stored(place.pair, INVOICE, "", window, 0, 100)) == keys(known[1:5])
    assert keys(one.known for one in place.store.stored(place.pair, INVOICE, "", window, known[2].id, 1)) == keys(
        known[3:4]
    )
    assert place.store.stored(place.pair, INVOICE, "packing_list", window, 0, 100) == []
    assert place.store.known_count(place.pair, INVOICE, window) == 4
    assert place.store.known_count(place.pair, INVOICE, Window()) == 10


def test_unseen_are_those_not_yet_pushed_that_the_run_has_not_met(place: Place) -> None:
    first = place.start_run()
    known = place.add(*(plain(INVOICE, number) for number in range(1, 8)), run=first)
    (undated,) = place.store.apply(
        place.context(run=first),
        [Change(S.UNREADABLE, record=Unreadable(INVOICE, "row 9", "No date.", "Give it one."))],
    )
    place.lead(known[:1], S.EXPORTED)
    place.lead(known[1:2], S.IGNORED)
    place.lead(known[2:3], S.HELD)
    place.lead(known[3:4], S.SENDING)
    second = place.start_run()
    place.store.touch(place.context(run=second), [known[4].id])
    unseen = place.store.unseen(place.pair, INVOICE, "", Window(), second)
    assert sorted(keys(unseen)) == sorted(keys([known[2], known[5], known[6], undated]))
    window = Window(known[5].date or BEGIN, known[5].date or BEGIN)
    assert keys(place.store.unseen(place.pair, INVOICE, "", window, second)) == keys([known[5]])
    assert place.store.unseen(place.pair, BILL, "", Window(), second) == []
    assert place.store.run_counts(second) == {"waiting": 1}


def test_marks_to_be_made_at_the_source_are_counted_and_cleared(place: Place) -> None:
    known = place.add(*(plain(INVOICE, number) for number in range(1, 6)))
    known = place.lead(known, S.EXPORTED, set_flags=frozenset({Flag.WRITEBACK_PENDING}))
    place.lead(known[:1], S.EXPORTED, set_flags=frozenset({Flag.BOOKED_DIFFERS}))
    assert place.store.flagged(place.pair, Flag.WRITEBACK_PENDING) == 5
    assert place.store.flagged(place.pair, Flag.BOOKED_DIFFERS) == 1
    pending = place.store.pending_writebacks(place.pair, 3)
    assert keys(pending) == keys(known[:3])
    place.store.clear_writebacks(place.context(), [one.id for one in pending])
    assert keys(place.store.pending_writebacks(place.pair, 10)) == keys(known[3:])
    assert place.store.flagged(place.pair, Flag.BOOKED_DIFFERS) == 1
    assert place.events()[-1]["details"] == {"count": 3, "first": known[0].id, "last": known[2].id}


# -- bulk --------------------------------------------------------------------------------------------------------------


def test_marking_by_a_begin_date_is_one_event_with_count_range_and_digest(place: Place) -> None:
    run = place.start_run()
    heads = [head(str(number), FIRST_DAY + timedelta(days=number % 7)) for number in range(6000)]
    before = len(place.events())
    assert place.store.mark_heads(place.context(run=run), INVOICE, "", iter(heads), BEGIN) == 6000
    (event,) = place.events()[before:]
    assert (event["event"], event["after"], event.get("key")) == ("begin_date", "marked", None)
    told = dict(event["details"])
    assert told.pop("keys_digest")
    told.pop("key_id", None)
    assert told == {"begin": "2026-03-01", "count": 6000, "seen": 6000, "first": "2026-01-15", "last": "2026-01-21"}
    assert place.counted() == {S.MARKED: 6000}
    assert place.store.run_counts(run) == {"marked": 6000}
    known = place.store.known(place.pair, INVOICE, "", ["17"])["17"]
    assert (known.state, known.number, known.flags) == (S.MARKED, "N-17", frozenset({Flag.BEFORE_BEGIN}))


def test_the_digest_tells_other_keys_apart(folder: Path) -> None:
    digests = []
    for number, wanted in enumerate((["1", "2"], ["1", "2"], ["2", "1"], ["1", "3"], ["1"])):
        above = folder / str(number)
        above.mkdir()
        one = Place(open_store(above))
        one.store.mark_heads(one.context(), INVOICE, "", map(head, wanted), BEGIN)
        digests.append(one.events()[-1]["details"]["keys_digest"])
        one.store.close()
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_marking_leaves_what_is_booked_under_way_or_decided(place: Place) -> None:
    ways: dict[str, tuple[State, ...]] = {
        "waiting": (),
        "held": (S.HELD,),
        "refused": (S.SENDING, S.REFUSED),
        "sending": (S.SENDING,),
        "queued": (S.QUEUED,),
        "in_doubt": (S.SENDING, S.IN_DOUBT),
        "exported": (S.EXPORTED,),
        "drifted": (S.EXPORTED, S.DRIFTED),
        "undone": (S.EXPORTED, S.UNDONE),
        "missing": (S.EXPORTED, S.MISSING),
        "ignored": (S.IGNORED,),
        "gone": (S.GONE,),
    }
    for number, (name, way) in enumerate(ways.items(), 1):
        place.lead(place.add(plain(INVOICE, number, key=name)), *way)
    place.store.apply(place.context(), [Change(S.UNREADABLE, record=Unreadable(INVOICE, "unreadable", "No.", "Fix."))])
    names = [*ways, "unreadable", "new"]
    assert place.store.mark_heads(place.context(), INVOICE, "", map(head, names), BEGIN) == 5
    states = {one.key: one.state for one in place.store.known(place.pair, INVOICE, "", names).values()}
    marked = {key for key, state in states.items() if state is S.MARKED}
    assert marked == {"waiting", "held", "refused", "unreadable", "new"}
    assert {key: state.value for key, state in states.items() if key not in marked} == {
        key: key for key in ways if key not in marked
    }
    place.assert_in_order()
    # The same once more marks nothing, and tells nothing.
    told = len(place.events())
    assert place.store.mark_heads(place.context(), INVOICE, "", map(head, names), BEGIN) == 0
    assert len(place.events()) == told
    assert place.store.mark_heads(place.context(), INVOICE, "", [], BEGIN) == 0


def test_marking_that_breaks_off_leaves_nothing(place: Place) -> None:
    place.add(plain(INVOICE, key="1"))
    before = place.content()

    def breaks_off() -> Any:
        for number in range(7000):
            yield head(str(number))
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        place.store.mark_heads(place.context(), INVOICE, "", breaks_off(), BEGIN)
    assert place.content() == before


def test_a_release_leads_back_only_what_was_marked_for_its_date_in_the_window(place: Place) -> None:
    days = [FIRST_DAY + timedelta(days=number) for number in range(6)]
    place.store.mark_heads(place.context(), INVOICE, "", [head(str(n), day) for n, day in enumerate(days)], BEGIN)
    place.store.mark_heads(place.context(), BILL, "", [head("b", days[2])], BEGIN)
    place.add(plain(INVOICE, key="by hand", date=days[2]), state=S.MARKED)
    told = len(place.events())
    window = Window(days[1], days[3])
    assert place.store.release_marked(place.context(PERSON), INVOICE, window) == 3
    (event,) = place.events()[told:]
    assert (event["before"], event["after"], event["actor"]) == ("marked", "waiting", PERSON)
    assert event["details"] == {"first": "2026-01-16", "last": "2026-01-18", "count": 3}
    assert place.counted() == {S.WAITING: 3, S.MARKED: 5}
    assert place.store.release_marked(place.context(PERSON), INVOICE, window) == 0
    released = place.store.open_documents(place.pair, (S.WAITING,), 0, 10)
    assert [(one.known.key, one.document) for one in released] == [("1", None), ("2", None), ("3", None)]
    assert all(Flag.BEFORE_BEGIN not in one.known.flags for one in released)


# -- whatever is done --------------------------------------------------------------------------------------------------

UNITS = [
    (kind, made_from, number)
    for kind in (INVOICE, BILL, Kind.TIME_RECORD)
    for made_from in ("", "alt")
    for number in (1, 2, 3)
]
MOVE = st.tuples(st.sampled_from(UNITS), st.sampled_from(State), st.booleans())
BULK = st.tuples(st.sampled_from(["mark", "release"]), st.sampled_from([INVOICE, BILL]), st.integers(0, 6))


def move(place: Place, unit: tuple[Kind, str, int], after: State, by_person: bool) -> None:
    """One change, where there is a way; where there is none it must be refused and change nothing."""
    kind, made_from, number = unit
    document = plain(kind, number)
    known: Known | None = place.store.known(place.pair, kind, made_from, [document.key]).get(document.key)
    change = Change(after, known, document, kind, made_from, fingerprint(document))
    context = place.context(PERSON if by_person else "service")
    try:
        steps(known.state if known else None, after, by_person)
    except WayNotAllowed:
        before = place.counted()
        with pytest.raises(WayNotAllowed):
            place.store.apply(context, [change])
        assert place.counted() == before
        return
    (now,) = place.store.apply(context, [change])
    assert place.store.known(place.pair, kind, made_from, [document.key]) == {document.key: now}


def in_bulk(place: Place, what: str, kind: Kind, number: int) -> None:
    if what == "mark":
        place.store.mark_heads(place.context(), kind, "", [head(plain(kind, n).key) for n in range(number)], BEGIN)
    else:
        place.store.release_marked(place.context(PERSON), kind, Window(FIRST_DAY, FIRST_DAY + timedelta(days=number)))


@settings(max_examples=25)
@given(st.lists(MOVE | BULK, max_size=25))
def test_tallies_equal_counts_whatever_is_done(moves: Sequence[Any]) -> None:
    with fast_folder() as above:
        place = Place(open_store(Path(above)))
        for one in moves:
            if isinstance(one[0], str):
                in_bulk(place, *one)
            else:
                move(place, *one)
            assert place.store.tallies(place.pair) == dict(place.counted())
        by_kind = place.store.database.execute("SELECT kind, state, sum(n) FROM tally GROUP BY 1, 2 HAVING sum(n) <> 0")
        counted = place.store.database.execute("SELECT kind, state, count(*) FROM document GROUP BY 1, 2")
        assert sorted(by_kind.fetchall()) == sorted(counted.fetchall())
        place.store.close()


def test_two_pairs_do_not_count_each_other(store: Repository, place: Place) -> None:
    place.add(plain(INVOICE))
    other = Place(store)
    other.pair = store.pair("sql:shop", "C2")
    other.add(plain(INVOICE), plain(INVOICE, 2))
    assert (store.tallies(place.pair), store.tallies(other.pair)) == ({S.WAITING: 1}, {S.WAITING: 2})
    assert replace(plain(INVOICE)) == store.open_documents(other.pair, (S.WAITING,), 0, 1)[0].document
