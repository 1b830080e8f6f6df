"""Cursors and windows: whatever clocks, pauses and faults do, no record is passed over."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from connector_service.domain.kinds import State
from connector_service.domain.problems import RetryLater
from connector_service.engine.setup import Route
from tests.support.documents import plain
from tests.support.harness import Rig
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """A source that can be read since a moment."""
    return make_rig(source={"incremental": True})


def test_only_what_changed_is_read(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    rig.clock.forward(hours=1)
    rig.shop.add(plain(INVOICE, 2))
    rig.run()
    rig.clock.forward(hours=1)
    result = rig.run()
    assert rig.states() == {"sales_invoice-1": "exported", "sales_invoice-2": "exported"}
    assert result.counts["read"] == 1, "the newest is read again, in case another came in the same moment"


def test_a_record_from_the_future_hides_nothing(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1, changed_at=datetime(2099, 1, 1, tzinfo=UTC)))
    rig.run()
    for place in (2, 3, 4):
        rig.clock.forward(hours=5)
        rig.shop.add(plain(INVOICE, place))
        rig.run()
    assert set(rig.states().values()) == {"exported"}
    assert len(rig.books.entries) == 4


def test_a_change_after_the_last_reading_before_a_long_pause_is_seen(rig: Rig) -> None:
    moment = rig.clock()
    rig.shop.add(plain(INVOICE, 1, changed_at=moment))
    rig.run()
    rig.shop.add(plain(INVOICE, 2, changed_at=moment + timedelta(milliseconds=500)))
    rig.clock.forward(days=9)
    rig.run()
    assert rig.state("sales_invoice-2") is State.EXPORTED


def test_records_of_the_same_moment_are_all_read(rig: Rig) -> None:
    moment = rig.clock()
    rig.shop.add(plain(INVOICE, 1, changed_at=moment))
    rig.run()
    rig.shop.add(plain(INVOICE, 2, changed_at=moment))
    rig.run()
    assert rig.state("sales_invoice-2") is State.EXPORTED


def test_a_transaction_that_was_long_under_way_is_seen(rig: Rig) -> None:
    moment = rig.clock()
    rig.shop.add(plain(INVOICE, 1, changed_at=moment))
    rig.run()
    rig.shop.add(plain(INVOICE, 2, changed_at=moment - timedelta(minutes=9)))
    rig.run()
    assert rig.state("sales_invoice-2") is State.EXPORTED


def test_long_after_the_last_change_nothing_is_read_over_and_over(rig: Rig) -> None:
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 6)])
    rig.run()
    rig.clock.forward(days=3)
    assert rig.run().counts["read"] == 5
    assert rig.run().counts["read"] == 0
    rig.shop.add(plain(INVOICE, 6))
    assert rig.run().counts["exported"] == 1


def test_moments_without_a_zone_are_the_source_s(make_rig: MakeRig) -> None:
    rig = make_rig(source={"incremental": True})
    east = timezone(timedelta(hours=10))
    route = rig.route
    rig.route = lambda: _zoned(route(), east)  # type: ignore[method-assign]

    def local() -> datetime:
        return rig.clock().astimezone(east).replace(tzinfo=None)

    rig.shop.add(plain(INVOICE, 1, changed_at=local()))
    rig.run()
    rig.clock.forward(hours=1)
    rig.shop.add(plain(INVOICE, 2, changed_at=local()))
    rig.run()
    rig.clock.forward(hours=1)
    assert rig.run().counts["read"] == 1
    assert len(rig.books.entries) == 2


def _zoned(route: Route, zone: timezone) -> Route:
    route.timezone = zone
    return route


def test_a_reading_that_breaks_off_is_begun_again(rig: Rig) -> None:
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 6)])
    rig.shop.break_after = 2
    rig.shop.fail("read", RetryLater("The shop is out of reach.", code="SOURCE_UNREACHABLE"))
    result = rig.run()
    assert (result.exit, rig.issues()) == (3, ["SOURCE_UNREACHABLE"])
    assert (rig.run().exit, rig.issues(), len(rig.books.entries)) == (0, [], 5)


def test_a_window_reads_what_lies_in_it(make_rig: MakeRig) -> None:
    rig = make_rig(source={"incremental": True})
    rig.shop.add(plain(INVOICE, 1, date=date(2026, 1, 5)), plain(INVOICE, 2, date=date(2026, 2, 5)), plain(BILL, 1))
    rig.run(first=date(2026, 2, 1), last=date(2026, 2, 28), kinds=(INVOICE,))
    assert rig.states() == {"sales_invoice-2": "exported"}
    rig.run()
    assert len(rig.books.entries) == 3


def test_a_window_takes_nothing_outside_it_for_gone(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.shop.add(
        plain(INVOICE, 1, date=date(2026, 1, 5), total=Decimal(1)),
        plain(INVOICE, 2, date=date(2026, 2, 5), total=Decimal(1)),
    )
    rig.run()
    rig.shop.delete(INVOICE, "sales_invoice-2")
    rig.run(first=date(2026, 2, 1), last=date(2026, 2, 28))
    assert rig.states() == {"sales_invoice-1": "held", "sales_invoice-2": "gone"}


def test_the_same_key_twice_in_one_reading_is_one_document(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    read = rig.shop.read
    rig.shop.read = lambda *args: iter([*read(*args), *read(*args)])  # type: ignore[method-assign]
    rig.run()
    assert (rig.states(), len(rig.books.entries)) == ({"sales_invoice-1": "exported"}, 1)


def test_what_a_consuming_source_has_handed_over_is_not_gone(make_rig: MakeRig) -> None:
    rig = make_rig(source={"consumes": True, "probe": False, "mark_exported": False})
    rig.shop.add(plain(INVOICE, 1, total=Decimal(1)), plain(INVOICE, 2))
    rig.run()
    rig.run()
    assert rig.states() == {"sales_invoice-1": "held", "sales_invoice-2": "exported"}


@pytest.mark.parametrize("point", ["chunk.before_states", "chunk.after_states", "chunk.after_taken"])
def test_a_consuming_source_loses_nothing_in_a_crash(make_rig: MakeRig, point: str) -> None:
    rig = make_rig(source={"consumes": True, "probe": False, "mark_exported": False})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 5)])
    assert rig.crash_at(point)
    rig.run()
    assert (len(rig.books.entries), set(rig.states().values())) == (4, {"exported"})
