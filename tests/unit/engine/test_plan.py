"""The planner is a total function, and never sends what is booked, put aside or under way."""

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.contract.journal import Known
from connector_service.contract.target import CompanyInfo
from connector_service.domain.documents import SourceRecord, Unreadable
from connector_service.domain.identity import fingerprint
from connector_service.domain.kinds import Flag, Kind, State
from connector_service.engine.plan import Action, Decision, plan
from connector_service.engine.view import Policy, View
from connector_service.store.batch import steps
from tests.support.documents import plain
from tests.support.fake_target import manifest
from tests.support.strategies import documents

NEVER_SENT = {
    State.EXPORTED,
    State.DRIFTED,
    State.MARKED,
    State.IGNORED,
    State.UNDONE,
    State.MISSING,
    State.IN_DOUBT,
    State.SENDING,
    State.QUEUED,
}
BEGIN = date(2026, 1, 1)


def known_of(record: SourceRecord, state: State, same: bool, flags: frozenset[Flag] = frozenset()) -> Known:
    print_ = b"other" if isinstance(record, Unreadable) or not same else fingerprint(record)
    return Known(1, record.kind, "", record.key, record.number, state, "", print_, "R1", 0, record.date, 0, flags)


def decide(record: SourceRecord, known: Known | None, begin_is_new: bool = False) -> Decision:
    view = View(Policy(route="main", begin=BEGIN, begin_is_new=begin_is_new), manifest(), CompanyInfo("C1", "Company"))
    (decision,) = plan([record], {record.key: known} if known else {}, view, lambda key: f"ref-{key}")
    return decision


def may_be_applied(decision: Decision) -> None:
    """What is decided is a way that exists, for the service and not only for a person."""
    before = decision.known.state if decision.known else None
    if decision.changed:
        steps(before, decision.after, by_person=False)
    else:
        assert decision.after is before


records = st.one_of(
    documents(),
    st.builds(
        Unreadable,
        st.sampled_from(list(Kind)),
        st.just("x"),
        st.just("No amount."),
        st.just("Give it one."),
        st.none() | st.dates(),
    ),
)


@given(
    record=records,
    state=st.none() | st.sampled_from(list(State)),
    same=st.booleans(),
    flags=st.frozensets(st.sampled_from(list(Flag))),
    begin_is_new=st.booleans(),
)
def test_every_record_in_every_state_has_a_decision(
    record: SourceRecord, state: State | None, same: bool, flags: frozenset[Flag], begin_is_new: bool
) -> None:
    known = known_of(record, state, same, flags) if state else None
    decision = decide(record, known, begin_is_new)
    may_be_applied(decision)
    if state in NEVER_SENT:
        assert decision.action is Action.SKIP
        assert decision.after in {state, State.EXPORTED, State.DRIFTED}
    if isinstance(record, Unreadable):
        assert decision.action is not Action.PUSH
    if decision.action is Action.PUSH:
        assert decision.after is State.WAITING
        assert not decision.problems
    if decision.action is Action.HOLD:
        assert decision.problems


@pytest.mark.parametrize(("state", "same"), list(product([None, *State], [True, False])))
def test_the_whole_table(state: State | None, same: bool) -> None:
    record = plain(Kind.SALES_INVOICE, 1)
    decision = decide(record, known_of(record, state, same) if state else None)
    pushed = {None, State.WAITING, State.HELD, State.UNREADABLE, State.GONE}
    if state in pushed or (state is State.REFUSED and not same):
        assert decision.action is Action.PUSH
    else:
        assert decision.action is Action.SKIP
    drifts = state in (State.EXPORTED, State.DRIFTED) and not same
    assert (decision.after is State.DRIFTED) is drifts
    may_be_applied(decision)


@pytest.mark.parametrize("state", [None, State.WAITING, State.HELD, State.GONE])
def test_what_the_source_calls_exported_is_marked_unless_a_person_released_it(state: State | None) -> None:
    record = plain(Kind.SALES_INVOICE, 1, exported=True)
    assert decide(record, known_of(record, state, True) if state else None).action is Action.MARK
    if state:
        assert decide(record, known_of(record, state, True, frozenset({Flag.RELEASED}))).action is Action.PUSH


def test_before_the_begin_date_means_marked_at_first_and_held_later() -> None:
    record = plain(Kind.SALES_INVOICE, 1, date=date(2025, 12, 31))
    first = decide(record, None, begin_is_new=True)
    assert (first.action, first.before_begin) == (Action.MARK, True)
    later = decide(record, None)
    assert (later.action, [one.code for one in later.problems]) == (Action.HOLD, ["DATED_BEFORE_BEGIN"])
