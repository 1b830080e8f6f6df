"""How a run ends before its end, and how the next goes on: errors, time limits, a stop, marks that fail."""

from decimal import Decimal

import pytest

from connector_service.domain.kinds import State
from connector_service.domain.problems import RetryLater
from connector_service.engine.setup import RouteOptions
from tests.support.documents import plain
from tests.support.fake_target import Stumble
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig


def test_stop_after_the_first_error(make_rig: MakeRig) -> None:
    rig = make_rig(options=RouteOptions(stop_after_error=True))
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 6)], plain(BILL, 1))
    rig.adapter.refuse = lambda document: "Wrong." if document.key == "sales_invoice-2" else None
    result = rig.run()
    assert result.exit == 1
    assert rig.states() == {
        "sales_invoice-1": "exported",
        "sales_invoice-2": "refused",
        "sales_invoice-3": "waiting",
        "sales_invoice-4": "waiting",
        "sales_invoice-5": "waiting",
    }
    rig.set(stop_after_error=False)
    rig.run()
    assert rig.tallies() == {"exported": 5, "refused": 1}


def test_stop_at_the_first_that_is_held(make_rig: MakeRig) -> None:
    rig = make_rig(options=RouteOptions(stop_after_error=True))
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2, total=Decimal(1)), plain(INVOICE, 3))
    rig.run()
    assert rig.states() == {"sales_invoice-1": "exported", "sales_invoice-2": "held", "sales_invoice-3": "waiting"}
    rig.shop.add(plain(INVOICE, 2))
    rig.run()
    rig.run()
    assert rig.tallies() == {"exported": 3}


def test_without_it_a_run_goes_on(make_rig: MakeRig) -> None:
    rig = make_rig(target={"limits": {"batch_size": 1}})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 4)])
    rig.adapter.refuse = lambda document: "Wrong." if document.key == "sales_invoice-1" else None
    rig.run()
    assert rig.tallies() == {"exported": 2, "refused": 1}


def test_an_automatic_run_ends_with_its_time_and_the_next_goes_on(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make_rig(options=RouteOptions(burst_minutes=1), target={"limits": {"batch_size": 1}})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 6)])
    ticks = 0.0

    def clock() -> float:
        return ticks

    def slow(_prepared: object) -> None:
        nonlocal ticks
        ticks += 25

    monkeypatch.setattr("connector_service.engine.run.monotonic", clock)
    rig.adapter.during_push = slow
    rig.run(mode="auto")
    assert rig.tallies() == {"exported": 3, "waiting": 2}
    rig.run(mode="auto")
    assert rig.tallies() == {"exported": 5}
    rig.shop.add(*[plain(INVOICE, place) for place in range(6, 12)])
    rig.run()
    assert rig.tallies() == {"exported": 11}, "a run by hand has no limit"


def test_a_stop_finishes_the_call_under_way(make_rig: MakeRig) -> None:
    rig = make_rig(target={"limits": {"batch_size": 2}})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 8)])
    asked: list[bool] = []
    rig.adapter.during_push = lambda _prepared: asked.append(True)
    rig.stopping = lambda: bool(asked)
    rig.run()
    assert rig.tallies() == {"exported": 2, "waiting": 5}
    rig.stopping = lambda: False
    rig.run()
    assert rig.tallies() == {"exported": 7}


def test_what_is_exported_is_marked_at_the_source(make_rig: MakeRig) -> None:
    rig = make_rig(options=RouteOptions(mark_sales_paid="after_export"))
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2, total=Decimal(1)), plain(BILL, 1))
    rig.run()
    assert dict(rig.shop.marked) == {
        (INVOICE, "sales_invoice-1", False): 1,
        (INVOICE, "sales_invoice-1", True): 1,
        (BILL, "vendor_bill-1", False): 1,
    }
    assert rig.row("sales_invoice-1").flags == ()
    rig.run()
    assert rig.shop.marked[INVOICE, "sales_invoice-1", False] == 1


def test_marks_that_fail_are_made_later_and_nothing_is_sent_again(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.shop.add(plain(INVOICE, 1), plain(BILL, 1))
    rig.shop.fail("mark", RetryLater("The shop is locked."), times=2)
    result = rig.run()
    assert (result.exit, rig.issues()) == (1, ["WRITEBACK_FAILED"])
    assert rig.row("sales_invoice-1").flags == ("writeback_pending",)
    rig.run()
    assert rig.issues() == ["WRITEBACK_FAILED"]
    assert (rig.run().exit, rig.issues()) == (0, [])
    assert (len(rig.books.entries), rig.row("vendor_bill-1").flags) == (2, ())
    assert rig.shop.marked[BILL, "vendor_bill-1", False] == 1


def test_a_crash_after_the_mark_repeats_it(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.shop.add(plain(INVOICE, 1))
    assert rig.crash_at("writeback.after_mark")
    rig.run()
    assert (rig.shop.marked[INVOICE, "sales_invoice-1", False], rig.row("sales_invoice-1").flags) == (2, ())


def test_what_was_undone_is_not_marked_at_the_source(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.shop.add(plain(INVOICE, 1))
    rig.shop.fail("mark", RetryLater("The shop is locked."))
    rig.run()
    rig.undo("sales_invoice-1")
    rig.run()
    assert (dict(rig.shop.marked), rig.state("sales_invoice-1")) == ({}, State.UNDONE)


def test_a_target_that_cannot_be_reached_is_told_once_and_its_recovery_too(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.fail("company", RetryLater("The books are out of reach.", code="TARGET_UNREACHABLE"), times=3)
    for _ in range(3):
        assert rig.run().exit == 3
    opened = [one for one in rig.events() if one["event"] == "issue_opened"]
    assert (len(opened), rig.issues()) == (1, ["TARGET_UNREACHABLE"])
    assert (rig.run().exit, rig.issues()) == (0, [])
    assert len(rig.adapter.batches) == 1


def test_a_batch_is_as_large_as_the_settings_and_the_target_allow(make_rig: MakeRig) -> None:
    for asked, sizes in ((0, [4, 3]), (2, [2, 2, 2, 1]), (99, [4, 3])):
        rig = make_rig(target={"limits": {"batch_size": 4}}, options=RouteOptions(batch_size=asked))
        rig.shop.add(*[plain(INVOICE, place) for place in range(1, 8)])
        rig.run()
        assert [len(batch) for batch in rig.adapter.batches] == sizes


@pytest.mark.parametrize("stumble", [Stumble.THROTTLED, Stumble.LOST_ANSWER])
def test_the_report_adds_up_whatever_happens(make_rig: MakeRig, stumble: Stumble) -> None:
    rig = make_rig(target={"limits": {"batch_size": 1}})
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, 4)], plain(INVOICE, 4, total=Decimal(1)))
    rig.run()
    rig.shop.add(plain(INVOICE, 5), plain(INVOICE, 6))
    rig.adapter.stumbles.append(stumble)
    counts = rig.run().counts
    states = {name: count for name, count in counts.items() if name not in ("read", "unchanged")}
    assert sum(states.values()) == counts["read"] - counts["unchanged"]
    assert counts["read"] == 6
