"""Ways between states: every one that there is, also through states in between, and none that there is not."""

from collections.abc import Callable
from typing import Any

import pytest

from connector_service.contract.journal import Change, Known
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import TRANSITIONS, Flag, Kind, State
from connector_service.domain.messages import problem
from connector_service.domain.problems import Conflict, ConnectorError
from connector_service.domain.status_codes import StatusCode
from connector_service.store.batch import WayNotAllowed, steps
from tests.support.documents import plain
from tests.unit.store.support import PERSON, Place

S = State
# From where only a person leads away, spelt out so that the code is not its own witness.
CLOSED = {S.MARKED, S.IGNORED, S.UNDONE, S.MISSING}


def shortest(before: State | None, after: State) -> int | None:
    """Steps of the shortest way by the table of single ways."""
    reached, count = {before}, 0
    while after not in reached or count == 0:
        wider = {two for one in reached for two in TRANSITIONS[one]}
        if wider <= reached and count:
            return None
        reached, count = reached | wider, count + 1
        if after in wider:
            return count
        if count > len(State):
            return None
    return count


@pytest.mark.parametrize("after", State)
@pytest.mark.parametrize("before", [None, *State])
def test_a_way_is_made_of_single_ways_only(before: State | None, after: State) -> None:
    start = None if before is S.GONE else before
    for by_person in (True, False):
        if before in CLOSED and not by_person:
            with pytest.raises(WayNotAllowed):
                steps(before, after, by_person)
            continue
        if before is after and before is not S.GONE:
            assert steps(before, after, by_person) == ()
            continue
        try:
            way = steps(before, after, by_person)
        except WayNotAllowed:
            assert after not in TRANSITIONS[start]
            continue
        assert way[-1] is after
        at: State | None = start
        for state in way:
            assert state in TRANSITIONS[at]
            at = state
        assert len(way) == shortest(start, after)
        # What passes through on the way is never a state in which a person or the books have the word.
        assert set(way[:-1]) <= {S.WAITING, S.SENDING}


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        (None, S.HELD, (S.WAITING, S.HELD)),
        (None, S.IGNORED, (S.WAITING, S.IGNORED)),
        (None, S.EXPORTED, (S.WAITING, S.SENDING, S.EXPORTED)),
        (S.HELD, S.SENDING, (S.WAITING, S.SENDING)),
        (S.WAITING, S.EXPORTED, (S.SENDING, S.EXPORTED)),
        (S.QUEUED, S.EXPORTED, (S.SENDING, S.EXPORTED)),
        (S.HELD, S.EXPORTED, (S.WAITING, S.SENDING, S.EXPORTED)),
        (S.REFUSED, S.HELD, (S.WAITING, S.HELD)),
        (S.IN_DOUBT, S.HELD, (S.WAITING, S.HELD)),
        (S.GONE, S.WAITING, (S.WAITING,)),
        (S.GONE, S.HELD, (S.WAITING, S.HELD)),
        (S.MARKED, S.HELD, (S.WAITING, S.HELD)),
    ],
)
def test_ways_through_states_in_between(before: State | None, after: State, way: tuple[State, ...]) -> None:
    assert steps(before, after, True) == way


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (S.EXPORTED, S.WAITING),  # would be booked twice
        (S.EXPORTED, S.SENDING),
        (S.EXPORTED, S.MARKED),
        (S.EXPORTED, S.GONE),
        (S.DRIFTED, S.WAITING),
        (S.DRIFTED, S.SENDING),
        (S.DRIFTED, S.GONE),
        (None, S.DRIFTED),
        (None, S.UNDONE),
        (None, S.MISSING),
        (S.WAITING, S.UNDONE),
    ],
)
def test_ways_that_there_must_never_be(before: State | None, after: State) -> None:
    for by_person in (True, False):
        with pytest.raises(WayNotAllowed):
            steps(before, after, by_person)


@pytest.mark.parametrize("before", sorted(CLOSED))
def test_only_a_person_leads_back(place: Place, before: State) -> None:
    ways = {S.MARKED: (), S.IGNORED: (S.IGNORED,), S.UNDONE: (S.EXPORTED, S.UNDONE), S.MISSING: (S.EXPORTED, S.MISSING)}
    new = place.add(plain(Kind.SALES_INVOICE), state=S.MARKED if before is S.MARKED else S.WAITING)
    known = place.lead(new, *ways[before])
    content = place.content()
    for after in State:
        with pytest.raises(WayNotAllowed):
            place.lead(known, after, actor="service")
    assert place.content() == content
    (back,) = place.lead(known, S.WAITING, actor=PERSON)
    assert place.store.by_ids([back.id]) == [back]
    assert place.events()[-1]["actor"] == PERSON


def test_a_way_through_states_tells_each_of_them(place: Place) -> None:
    (known,) = place.add(plain(Kind.SALES_INVOICE))
    place.lead([known], S.EXPORTED, actor="service", remote_id="r-1", booked=plain(Kind.SALES_INVOICE))
    told = [(one.get("before"), one["after"], one.get("remote_id")) for one in place.events()]
    assert told == [(None, "waiting", None), ("waiting", "sending", None), ("sending", "exported", "r-1")]
    assert place.events()[-1]["amount"] == "121.01"
    assert place.events()[-1]["details"]["fingerprint"] == fingerprint(plain(Kind.SALES_INVOICE)).hex()


BAD: dict[str, tuple[Callable[[Known, Known, Known], Change], type[Exception]]] = {
    "a way that there is not": (lambda _waiting, exported, _moved: Change(S.WAITING, exported), WayNotAllowed),
    "one that has moved on": (lambda _waiting, _exported, moved: Change(S.SENDING, moved), Conflict),
    "a new one without content": (lambda *_known: Change(S.HELD), WayNotAllowed),
    "a new one without a key": (lambda *_known: Change(S.HELD, kind=Kind.VENDOR_BILL), WayNotAllowed),
    "one that is there already": (
        lambda *_known: Change(S.WAITING, record=plain(Kind.SALES_INVOICE, 1), fingerprint=b"1"),
        ConnectorError,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_in_the_middle_leaves_nothing(place: Place, name: str) -> None:
    waiting, exported, moved = place.add(*(plain(Kind.SALES_INVOICE, number) for number in (1, 2, 3)))
    (exported,) = place.lead([exported], S.EXPORTED)
    place.lead([moved], S.HELD)
    make, fault = BAD[name]
    changes = [
        Change(S.WAITING, record=plain(Kind.SALES_INVOICE, 9), fingerprint=b"9"),
        Change(S.HELD, waiting, problems=(problem(StatusCode.NOT_SENT, document="it"),)),
        make(waiting, exported, moved),
        Change(S.WAITING, record=plain(Kind.VENDOR_BILL, 9), fingerprint=b"9"),
    ]
    run = place.start_run()
    before, head = place.content(), place.store.trail.head()
    with pytest.raises(fault):
        place.store.apply(place.context(run=run), changes)
    assert place.content() == before
    assert place.store.trail.head() == head
    # The same without the bad one goes through.
    assert len(place.store.apply(place.context(run=run), [*changes[:2], changes[3]])) == 3


def test_a_change_that_came_too_late_says_what_to_do(place: Place) -> None:
    (known,) = place.add(plain(Kind.SALES_INVOICE))
    place.lead([known], S.IGNORED)
    with pytest.raises(Conflict) as caught:
        place.lead([known], S.HELD, actor="service")
    assert caught.value.code == "CHANGED_MEANWHILE"
    assert caught.value.fix
    assert place.counted() == {S.IGNORED: 1}


def test_a_fault_of_the_trail_takes_the_change_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (known,) = place.add(plain(Kind.SALES_INVOICE))
    before = place.content()

    class Broken:
        def seal(self, *_args: Any) -> tuple[str, str]:
            raise MemoryError

    monkeypatch.setattr(place.store.trail, "_sealer", Broken())
    with pytest.raises(MemoryError):
        place.lead([known], S.EXPORTED)
    assert place.content() == before


def test_what_is_returned_is_what_is_known_afterwards(place: Place) -> None:
    run = place.start_run()
    held = problem(StatusCode.NOT_SENT, document="it")
    given = [
        Change(
            S.HELD, record=plain(kind, number), fingerprint=bytes([number]), problems=(held,), made_from="packing_list"
        )
        for number, kind in enumerate(Kind, 1)
    ]
    known = place.store.apply(place.context(run=run), given)
    assert place.store.by_ids([one.id for one in known]) == known
    assert {one.status_code for one in known} == {"NOT_SENT"}
    changes = [
        Change(
            S.EXPORTED,
            one,
            remote_id=f"r{one.id}",
            raise_generation=True,
            set_flags=frozenset({Flag.WRITEBACK_PENDING, Flag.BOOKED_DIFFERS}),
        )
        for one in known
    ]
    known = place.store.apply(place.context(run=run), changes)
    assert place.store.by_ids([one.id for one in known]) == known
    assert [(one.generation, one.remote_id, one.status_code) for one in known] == [
        (1, f"r{one.id}", "") for one in known
    ]
    changes = [Change(S.EXPORTED, one, clear_flags=frozenset({Flag.WRITEBACK_PENDING})) for one in known]
    known = place.store.apply(place.context(run=run), changes)
    assert {one.flags for one in known} == {frozenset({Flag.BOOKED_DIFFERS})}
    assert place.store.by_ids([one.id for one in known]) == known
