"""Receipts that are put back from the trail: what is booked is known again, what was on its way is in doubt."""

from datetime import date
from pathlib import Path

import pytest

from connector_service.contract.journal import Event, RouteState
from connector_service.contract.trail import Receipt
from connector_service.domain.identity import UnitKey, external_reference, pair_digest
from connector_service.domain.kinds import Kind, State
from connector_service.store.receipts import put_back
from tests.support.documents import plain
from tests.unit.store.support import Place, dump, keys, open_store

S = State
PAIR = pair_digest("sql:shop", "C1")
HEAD = (77, "ab" * 32)
INVOICE = Kind.SALES_INVOICE


def receipt(key: str, state: State, **more: object) -> Receipt:
    fields: dict[str, object] = {
        "pair": PAIR,
        "kind": INVOICE,
        "made_from": "",
        "key": key,
        "state": state,
        "number": f"N-{key}",
        "currency": "EUR",
        "amount": "121.00",
        "sequence": 7,
        "remote_id": f"r-{key}",
        "fingerprint": b"f" * 16,
        "generation": 2,
        "date": date(2026, 1, 31),
    }
    return Receipt(**{**fields, **more})  # type: ignore[arg-type]


KEPT = [S.EXPORTED, S.DRIFTED, S.MARKED, S.IGNORED, S.UNDONE, S.MISSING]
ON_ITS_WAY = [S.SENDING, S.QUEUED, S.IN_DOUBT]
LEFT = [S.WAITING, S.HELD, S.REFUSED, S.UNREADABLE, S.GONE]


def test_every_state_is_dealt_with() -> None:
    assert sorted((*KEPT, *ON_ITS_WAY, *LEFT)) == sorted(State)


@pytest.mark.parametrize("state", State)
def test_into_an_empty_store(folder: Path, state: State) -> None:
    store = open_store(folder)
    assert not store.was_recovered()
    count = put_back(store.database, store.trail, [receipt("1", state)], HEAD)
    pair = store.pair("sql:shop", "C1")
    known = store.known(pair, INVOICE, "", ["1"]).get("1")
    assert store.was_recovered()
    assert store.trail.head() == HEAD
    assert count == (state not in LEFT)
    if state in LEFT:
        assert known is None
        assert store.tallies(pair) == {}
        return
    assert known is not None
    assert known.state is (S.IN_DOUBT if state in ON_ITS_WAY else state)
    assert (known.number, known.remote_id, known.generation, known.fingerprint, known.date) == (
        "N-1",
        "r-1",
        2,
        b"f" * 16,
        date(2026, 1, 31),
    )
    assert store.tallies(pair) == {known.state: 1}
    row = store.listing.document(known.id)
    assert row is not None
    assert str(row.total) == "121.00"
    assert ("writeback_pending" in row.flags) is (state in (S.EXPORTED, S.DRIFTED))
    store.close()


@pytest.mark.parametrize("state", ON_ITS_WAY)
def test_what_was_on_its_way_is_asked_for_by_its_reference_and_never_sent_as_it_was(folder: Path, state: State) -> None:
    store = open_store(folder)
    put_back(
        store.database, store.trail, [receipt("1", state, made_from="packing_list"), receipt("2", S.EXPORTED)], HEAD
    )
    pair = store.pair("sql:shop", "C1")
    ((intent, members),) = store.open_intents(pair, (S.SENDING, S.IN_DOUBT))
    assert keys(members) == ["1"]
    assert members[0].state is S.IN_DOUBT
    (member,) = intent.members
    reference = external_reference(PAIR, UnitKey(INVOICE, "1", "packing_list"))
    assert (member.document_id, member.external_reference, member.number) == (members[0].id, reference, "N-1")
    # The bytes are lost with the store: there is nothing that could be sent again.
    assert (intent.purpose, intent.prepared.body, intent.prepared.idempotency_key) == ("push", b"", "")
    assert intent.prepared.members == (reference,)
    store.close()


def test_a_pair_of_the_trail_is_the_pair_of_the_route_once_that_names_both_sides(folder: Path) -> None:
    store = open_store(folder)
    put_back(store.database, store.trail, [receipt("1", S.EXPORTED)], HEAD)
    assert [pair[1:] for pair in store.listing.pairs()] == [("", "")]
    pair = store.pair("sql:shop", "C1")
    assert store.listing.pairs() == [(pair, "sql:shop", "C1")]
    assert store.pair_digest(pair) == PAIR
    store.close()


def test_many_of_several_pairs_and_kinds_each_stand_once(folder: Path) -> None:
    store = open_store(folder)
    other = pair_digest("folder:in", "C2")
    many = [receipt(str(number), S.EXPORTED) for number in range(2500)]
    many += [receipt(str(number), S.EXPORTED, pair=other) for number in range(10)]
    many += [receipt(str(number), S.EXPORTED, kind=Kind.VENDOR_BILL) for number in range(10)]
    many += [receipt(str(number), S.SENDING, made_from="packing_list") for number in range(10)]
    assert put_back(store.database, store.trail, iter(many), HEAD) == 2530
    assert store.tallies(store.pair("sql:shop", "C1")) == {S.EXPORTED: 2510, S.IN_DOUBT: 10}
    assert store.tallies(store.pair("folder:in", "C2")) == {S.EXPORTED: 10}
    again = open_store(folder)
    assert put_back(again.database, again.trail, iter(many), HEAD) == 2530
    assert again.tallies(again.pair("sql:shop", "C1")) == {S.EXPORTED: 2510, S.IN_DOUBT: 10}
    again.close()
    store.close()


def test_into_an_older_store(folder: Path) -> None:
    store = open_store(folder)
    place = Place(store)
    names = ("was waiting", "was held", "was sending", "was exported", "is as it was", "was marked")
    known = dict(zip(names, place.add(*(plain(INVOICE, n, key=key) for n, key in enumerate(names, 1))), strict=True))
    place.lead([known["was held"]], S.HELD)
    place.lead([known["was sending"]], S.SENDING)
    place.lead([known["was exported"], known["is as it was"]], S.EXPORTED, remote_id="old")
    place.lead([known["was marked"]], S.MARKED)
    store.save_route_state("main", RouteState(place.pair, "sql:shop", "C1", cursors={"sales_invoice": "2026-01-01"}))
    later = [
        receipt("was waiting", S.EXPORTED),
        receipt("was held", S.QUEUED),
        receipt("was sending", S.EXPORTED),
        receipt("was exported", S.UNDONE),
        receipt("new", S.EXPORTED),
    ]
    assert put_back(store.database, store.trail, later, HEAD) == 5
    found = store.known(place.pair, INVOICE, "", [*names, "new"])
    assert {key: one.state.value for key, one in found.items()} == {
        "was waiting": "exported",
        "was held": "in_doubt",
        "was sending": "exported",
        "was exported": "undone",
        "is as it was": "exported",
        "was marked": "marked",
        "new": "exported",
    }
    assert (found["was waiting"].id, found["was waiting"].remote_id) == (known["was waiting"].id, "r-was waiting")
    assert found["is as it was"].remote_id == "old"
    assert store.tallies(place.pair) == dict(place.counted())
    # Its content is still there, to be looked up with.
    assert store.content([known["was held"].id])
    # Every route asks before it sends, and reads everything again.
    state = store.route_state("main")
    assert state is not None
    assert (state.ask_first, state.cursors) == (True, {})
    ((_, members),) = store.open_intents(place.pair, (S.SENDING, S.IN_DOUBT))
    assert keys(members) == ["was held"]
    store.close()


def test_the_chain_goes_on_from_the_head_of_the_trail(folder: Path) -> None:
    store = open_store(folder)
    Place(store).add(plain(INVOICE))
    put_back(store.database, store.trail, [], HEAD)
    assert store.trail.unflushed(0, 10) == []
    store.record(Event("route_started", "main"))
    ((sequence, line, digest),) = store.trail.unflushed(0, 10)
    assert sequence == 78
    assert f'"previous":"{HEAD[1]}"' in line
    assert store.trail.head() == (78, digest)
    store.close()


def test_what_breaks_off_leaves_the_store_as_it_was(folder: Path) -> None:
    store = open_store(folder)
    Place(store).add(plain(INVOICE, key="1"))
    before = dump(folder / "state.db")

    def torn() -> object:
        for number in range(1500):
            yield receipt(str(number), S.EXPORTED)
        raise OSError("torn")

    with pytest.raises(OSError, match="torn"):
        put_back(store.database, store.trail, torn(), HEAD)  # type: ignore[arg-type]
    assert dump(folder / "state.db") == before
    assert not store.was_recovered()
    store.close()
