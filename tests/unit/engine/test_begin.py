"""The begin date: marking in bulk, moving it, releasing, and what comes late."""

from datetime import date

import pytest

from connector_service.domain.documents import Unreadable
from connector_service.domain.kinds import State
from connector_service.engine import begin_date
from connector_service.engine.setup import RouteOptions
from tests.support.documents import plain
from tests.support.harness import Rig
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig

OLD, MIDDLE, NEW = date(2025, 6, 1), date(2025, 12, 1), date(2026, 2, 1)
BEGIN = date(2026, 1, 1)
EARLIER = date(2025, 9, 1)


@pytest.fixture
def begun(make_rig: MakeRig) -> Rig:
    """Ten old invoices, one of December, one new; two old bills."""
    rig = make_rig(options=RouteOptions(begin=BEGIN))
    rig.shop.add(*[plain(INVOICE, place, date=OLD) for place in range(1, 11)])
    rig.shop.add(plain(INVOICE, 11, date=MIDDLE), plain(INVOICE, 12, date=NEW))
    rig.shop.add(plain(BILL, 1, date=OLD), plain(BILL, 2, date=OLD))
    return rig


def test_older_records_are_marked_in_one_event_a_kind(begun: Rig) -> None:
    result = begun.run()
    assert (result.exit, result.counts["marked"], result.counts["exported"]) == (0, 13, 1)
    assert result.counts["read"] == 14
    marked = [one for one in begun.events() if one.get("after") == "marked"]
    assert [(one["event"], one["kind"], one["details"]["count"]) for one in marked] == [
        ("begin_date", "sales_invoice", 11),
        ("begin_date", "vendor_bill", 2),
    ]
    details = marked[0]["details"]
    assert (details["first"], details["last"], len(details["keys_digest"])) == ("2025-06-01", "2025-12-01", 32)
    assert [one.document.key for one in begun.books.entries] == ["sales_invoice-12"]
    assert begun.run().counts["unchanged"] == 14


def test_what_it_would_mark_is_told_before(begun: Rig) -> None:
    found = begin_date.preview(begun.route(), None, BEGIN)
    assert (found.count, found.counts, found.totals[BILL]) == (13, {INVOICE: 11, BILL: 2}, {"EUR": 24203})
    assert begun.store.find_pair("shop", "C1") is None, "looking changes nothing"
    begun.run()
    assert begin_date.preview(begun.route(), begun.pair(), BEGIN).count == 0


def test_a_record_that_comes_late_is_held(begun: Rig) -> None:
    begun.run()
    begun.shop.add(plain(INVOICE, 20, date=OLD))
    result = begun.run()
    assert (result.exit, begun.state("sales_invoice-20"), begun.codes("sales_invoice-20")) == (
        1,
        "held",
        ["DATED_BEFORE_BEGIN"],
    )
    begun.act("mark", "sales_invoice-20")
    assert begun.run().exit == 0


def test_moving_it_back_releases_nothing_and_marks_nothing(begun: Rig) -> None:
    begun.run()
    begun.shop.add(plain(INVOICE, 20, date=OLD))
    begun.run()
    begun.set(begin=EARLIER)
    begun.run()
    assert begun.state("sales_invoice-20") is State.HELD, "late is late: it is not marked silently"
    assert begun.state("sales_invoice-11") is State.MARKED
    begun.shop.add(plain(INVOICE, 21, date=MIDDLE))
    begun.run()
    assert begun.state("sales_invoice-21") is State.EXPORTED


def test_release_leads_back_what_was_marked_for_its_date_only(begun: Rig) -> None:
    begun.shop.add(plain(INVOICE, 30, date=NEW, exported=True), plain(INVOICE, 31, date=MIDDLE, exported=True))
    begun.run()
    begun.shop.add(plain(INVOICE, 32, date=MIDDLE))
    begun.run()
    begun.act("mark", "sales_invoice-32")  # a person has found it in the books
    begun.set(begin=EARLIER)
    assert begun.release() == 2
    released = [one for one in begun.events() if one["event"] == "released"]
    assert [(one["details"]["count"], one["actor"]) for one in released] == [(2, "Alex")]
    begun.run()
    assert begun.state("sales_invoice-11") is State.EXPORTED
    for key in ("sales_invoice-30", "sales_invoice-31", "sales_invoice-32", "sales_invoice-1"):
        assert begun.state(key) is State.MARKED, key
    assert sorted(one.document.key for one in begun.books.entries) == ["sales_invoice-11", "sales_invoice-12"]


def test_moving_it_forward_marks_what_still_waits(begun: Rig) -> None:
    begun.shop.add(plain(INVOICE, 40, date=NEW, number=""))
    begun.shop.add(Unreadable(INVOICE, "row 9", "No amount.", "Give it one.", NEW))
    begun.run()
    assert (begun.state("sales_invoice-40"), begun.state("row 9")) == ("held", "unreadable")
    begun.set(begin=date(2026, 3, 1))
    result = begun.run()
    assert result.exit == 0
    assert (begun.state("sales_invoice-40"), begun.state("row 9"), begun.state("sales_invoice-12")) == (
        "marked",
        "marked",
        "exported",
    )


def test_a_crash_while_marking_is_made_up_for(begun: Rig) -> None:
    assert begun.crash_at("run.begin_applied")
    begun.run()
    assert begun.tallies() == {"marked": 13, "exported": 1}


def test_marks_at_the_source(make_rig: MakeRig, begun: Rig) -> None:
    begun.run()
    assert not [unit for unit in begun.shop.marked if unit[1] == "sales_invoice-1"]
    assert begin_date.mark_at_source(begun.route(), BEGIN) == 13
    assert begun.shop.marked[INVOICE, "sales_invoice-1", False] == 1
    assert begun.run().exit == 0
    without = make_rig(source={"mark_exported": False})
    without.shop.add(plain(INVOICE, 1, date=OLD))
    assert begin_date.mark_at_source(without.route(), BEGIN) == 0


def test_gone_and_back_before_the_begin_date_is_marked(begun: Rig) -> None:
    begun.set(begin=None)
    begun.shop.add(plain(INVOICE, 50, date=OLD, number=""))
    begun.run()
    kept = begun.shop.records[INVOICE].pop("sales_invoice-50")
    begun.run()
    assert begun.state("sales_invoice-50") is State.GONE
    begun.shop.add(kept)
    begun.set(begin=BEGIN)
    begun.run()
    assert begun.state("sales_invoice-50") is State.MARKED
