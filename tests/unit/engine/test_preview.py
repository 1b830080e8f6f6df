"""A preview and the run that follows it say the same, and the preview writes nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_service.domain.documents import Unreadable
from connector_service.domain.kinds import Kind
from connector_service.domain.messages import problem
from connector_service.domain.problems import RetryLater, Stop
from connector_service.engine.preview import Preview, preview
from connector_service.engine.run import Request
from connector_service.engine.setup import RouteOptions
from connector_service.store.listing import DocumentRow
from tests.support.documents import plain
from tests.support.harness import Rig
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig

OUTCOME = {"push": "exported", "hold": None, "mark": "marked"}


def planned(found: Preview) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What would become of each document: a push is taken for an export."""
    return sorted(
        (one.kind.value, one.key, OUTCOME.get(one.action) or one.state.value, tuple(two.code for two in one.problems))
        for one in found.documents
    )


def listed(rows: list[DocumentRow]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return sorted((one.kind.value, one.key, one.state.value, tuple(two.code for two in one.problems)) for one in rows)


def both(rig: Rig) -> None:
    """The list of a preview and the list of the run that follows it are equal."""
    before = rig.rows(), rig.events(), list(rig.books.entries), dict(rig.shop.marked)
    found = preview(rig.route(), Request())
    assert (rig.rows(), rig.events(), list(rig.books.entries), dict(rig.shop.marked)) == before
    result = rig.run()
    assert planned(found) == listed(list(rig.store.listing.of_run(result.run)))
    assert (found.read, found.unchanged) == (result.counts["read"], result.counts["unchanged"])


def mixed(rig: Rig) -> None:
    rig.shop.add(*[plain(kind, place) for kind in Kind for place in (1, 2)])
    rig.shop.add(
        plain(INVOICE, 3, total=Decimal(1)),
        plain(INVOICE, 4, date=date(2025, 1, 1)),
        plain(INVOICE, 5, exported=True),
        plain(BILL, 6, number="BILL-7"),
        plain(BILL, 7, number="BILL-7", party_key="S1"),
        Unreadable(BILL, "row 8", "No amount.", "Give it one."),
    )


def test_on_an_empty_store(make_rig: MakeRig) -> None:
    rig = make_rig(options=RouteOptions(begin=date(2026, 1, 1)))
    mixed(rig)
    both(rig)


def test_after_a_run(make_rig: MakeRig) -> None:
    rig = make_rig(options=RouteOptions(begin=date(2026, 1, 1)))
    mixed(rig)
    rig.run()
    rig.shop.edit(INVOICE, "sales_invoice-1", note="Changed")
    rig.shop.add(plain(INVOICE, 3), plain(INVOICE, 9), plain(INVOICE, 10, date=date(2025, 2, 2)))
    both(rig)


def test_one_number_twice_far_apart(make_rig: MakeRig) -> None:
    rig = make_rig(target={"limits": {"batch_size": 500}})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 520)])
    rig.shop.edit(INVOICE, "sales_invoice-99", number="INV-1")  # read in the second chunk, by key
    both(rig)


def test_the_brakes_are_told(make_rig: MakeRig) -> None:
    rig = make_rig(options=RouteOptions(max_new_per_run=3))
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 6)])
    found = preview(rig.route(), Request())
    assert [one.code for one in found.brakes] == ["TOO_MANY_NEW"]
    assert len(found.documents) == 5


def test_what_would_stop_a_run_stops_a_preview(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.adapter.fail("company", RetryLater("The books are out of reach."))
    with pytest.raises(RetryLater):
        preview(rig.route(), Request())


def test_a_preview_stops_while_the_store_is_behind(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.store.open_issue("", problem("STORE_BEHIND", why="It is empty."), confirmable=True)
    with pytest.raises(Stop):
        preview(rig.route(), Request())


@settings(
    max_examples=max(10, settings().max_examples // 4),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(
    records=st.lists(
        st.tuples(
            st.sampled_from([INVOICE, BILL]),
            st.integers(1, 6),
            st.sampled_from(["sound", "old", "wrong", "exported", "twin", "unreadable"]),
        ),
        max_size=10,
    ),
    later=st.lists(st.tuples(st.sampled_from([INVOICE, BILL]), st.integers(1, 8)), max_size=4),
)
def test_always(make_rig: MakeRig, records: list[tuple[Kind, int, str]], later: list[tuple[Kind, int]]) -> None:
    rig = make_rig(options=RouteOptions(begin=date(2026, 1, 1), max_new_per_run=100))
    for kind, place, how in records:
        change: dict[str, Any] = {
            "sound": {},
            "old": {"date": date(2025, 1, 1)},
            "wrong": {"total": Decimal(1)},
            "exported": {"exported": True},
            "twin": {"number": "SAME", "party_key": "P"},
            "unreadable": {},
        }[how]  # type: ignore[assignment]
        one = plain(kind, place, **change)
        rig.shop.add(Unreadable(kind, one.key, "No amount.", "Give it one.", one.date) if how == "unreadable" else one)
    both(rig)
    for kind, place in later:
        rig.shop.add(plain(kind, place, note="Later"))
    both(rig)
