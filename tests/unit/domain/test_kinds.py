"""The states, their only ways, and the order of the checks, as the design has them."""

import pytest

from connector_service.domain.kinds import BY_PERSON_ONLY, TRANSITIONS, Kind, State, may_become
from connector_service.domain.status_codes import ORDER, StatusCode

# Word for word as the design lists them.
WAYS = """
(new)       -> waiting | marked | unreadable
unreadable  -> waiting | marked | ignored | gone
waiting     -> held | sending | queued | marked | ignored | gone
held        -> waiting | marked | ignored | gone
queued      -> sending | waiting
sending     -> exported | refused | in_doubt | waiting
in_doubt    -> exported | waiting
refused     -> waiting | marked | ignored | gone
exported    -> drifted | undone | missing
drifted     -> exported | undone
marked      -> waiting
ignored     -> waiting
undone      -> waiting
missing     -> waiting
"""
CHECKS = """
UNREADABLE · NOT_SENT · NOT_APPROVED · DATED_BEFORE_BEGIN · PARTY_NOT_LINKED · LINK_WRONG · PARTY_INACTIVE ·
CARE_OF_NOT_LINKED · EMPLOYEE_NOT_LINKED · NUMBER_MISSING · NUMBER_EXISTS · SAME_NUMBER_OTHER_CONTENT ·
ACCOUNT_NOT_MAPPED · ITEM_NOT_MAPPED · TAX_NOT_MAPPED · COST_CODE_NOT_MAPPED · PROJECT_NOT_MAPPED · TERM_NOT_MAPPED ·
PAY_ITEM_NOT_MAPPED · LINE_WITHOUT_TEXT · TOTAL_MISMATCH · PERIOD_CLOSED · CURRENCY_NOT_ENABLED · RATE_MISSING ·
FIELD_TOO_LONG
"""


def listed() -> set[tuple[str, str]]:
    ways = set()
    for line in WAYS.strip().splitlines():
        before, _, after = line.partition("->")
        ways |= {(before.strip(), one.strip()) for one in after.split("|")}
    return ways


def test_the_ways_between_states_are_those_of_the_design_and_no_others() -> None:
    have = {(before or "(new)", after) for before, afters in TRANSITIONS.items() for after in afters}
    assert have == listed()


@pytest.mark.parametrize("after", State)
@pytest.mark.parametrize("before", [None, *State])
def test_each_way_is_open_or_closed_as_listed(before: State | None, after: State) -> None:
    assert may_become(before, after) is ((before.value if before else "(new)", after.value) in listed())


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == {None, *State}


def test_nothing_comes_back_from_gone() -> None:
    assert not any(may_become(State.GONE, after) for after in State)


def test_only_a_person_leads_back_from_where_a_person_or_the_begin_date_has_led() -> None:
    assert {one.value for one in BY_PERSON_ONLY} == {"marked", "ignored", "undone", "missing"}


def test_checks_stand_in_the_order_of_the_design() -> None:
    wanted = CHECKS.replace("\n", " ").replace("·", " ").split()
    assert [code.value for code in StatusCode] == wanted
    assert sorted(wanted, key=ORDER.__getitem__) == wanted
    assert len(ORDER) == len(wanted)


def test_kinds_say_what_they_are() -> None:
    assert {kind.value for kind in Kind if kind.is_sales} == {"sales_invoice", "sales_credit_note"}
    assert {kind.value for kind in Kind if kind.is_credit} == {"sales_credit_note", "vendor_credit"}
    assert {kind.value for kind in Kind if not kind.is_money} == {"time_record"}
