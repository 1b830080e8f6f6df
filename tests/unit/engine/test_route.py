"""What a route is: its source, its company and what documents are made from; and a store that knows too little."""

from collections.abc import Iterable
from datetime import date

import pytest

from connector_service.contract.manifest import Idempotency
from connector_service.contract.target import CompanyInfo
from connector_service.contract.trail import Receipt
from connector_service.domain.kinds import Kind, State
from connector_service.domain.messages import problem
from connector_service.domain.status_codes import IssueCode
from connector_service.engine.reconcile import Finding, reconcile
from connector_service.engine.setup import RouteOptions
from connector_service.store.receipts import put_back
from tests.support.documents import plain
from tests.support.harness import Rig
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig

NEW_DATE = date(2026, 1, 20)


def exported(make_rig: MakeRig, count: int = 3, **changes: object) -> Rig:
    rig = make_rig(**changes)
    rig.shop.add(*[plain(INVOICE, place) for place in range(1, count + 1)])
    assert rig.run().exit == 0
    return rig


@pytest.mark.parametrize("what", ["company", "source", "records"])
def test_another_company_source_or_record_needs_a_new_begin_date(make_rig: MakeRig, what: str) -> None:
    rig = exported(make_rig)
    if what == "company":
        rig.adapter.info = CompanyInfo("C2", "Another company")
    elif what == "source":
        rig.shop.name = "another shop"
    else:
        rig.set(made_from={INVOICE: "packing_list"})
    for _ in range(2):
        result = rig.run()
        assert (result.exit, rig.issues()) == (1, ["BEGIN_DATE_NEEDED"])
    assert len(rig.books.entries) == 3
    rig.set(begin=NEW_DATE)
    rig.shop.add(plain(INVOICE, 20, date=date(2026, 3, 1)))
    assert (rig.run().exit, rig.issues()) == (0, [])
    assert len(rig.books.entries) == 4
    back = {"company": CompanyInfo("C1", "Company")}.get(what)
    if back is not None:
        rig.adapter.info = back
        assert rig.run().exit == 1, "the way back needs one too"


def test_a_unit_is_the_same_under_another_route_name(make_rig: MakeRig) -> None:
    rig = exported(make_rig)
    rig.name = "renamed"
    assert rig.run().counts.get("exported", 0) == 0
    assert len(rig.books.entries) == 3


def test_an_open_issue_of_a_store_that_is_behind_stops_every_route(make_rig: MakeRig) -> None:
    rig = exported(make_rig)
    rig.store.open_issue("", problem(IssueCode.STORE_BEHIND, why="It is empty.", issue="{issue}"), confirmable=True)
    rig.shop.add(plain(INVOICE, 9))
    assert rig.run().exit == 1
    assert len(rig.books.entries) == 3
    rig.store.close_issues("", (IssueCode.STORE_BEHIND,))
    assert rig.run().exit == 0


def lost(rig: Rig, receipts: Iterable[Receipt]) -> None:
    """The store is lost, and what the trail knows is put back into an empty one."""
    rig.store.close()
    for file in rig.folder.glob("state.db*"):
        file.unlink()
    rig.store = rig._open()
    put_back(rig.store.database, rig.store.trail, receipts, (0, ""))


@pytest.mark.parametrize("way", [Idempotency.EXTERNAL_REFERENCE, Idempotency.SEARCH])
def test_after_the_store_is_lost_each_document_is_asked_for_first(make_rig: MakeRig, way: Idempotency) -> None:
    rig = exported(
        make_rig,
        12,
        source={"mark_exported": False},
        target={"idempotency": (way,), "number_lookup": False, "limits": {"batch_size": 5}},
    )
    lost(rig, [])
    rig.shop.add(plain(INVOICE, 20))
    looks = rig.adapter.calls["look_up"]
    assert rig.run().exit == 0
    assert rig.adapter.calls["look_up"] == looks + 1, "one look-up for all"
    assert (len(rig.books.entries), rig.tallies()) == (13, {"exported": 13})
    assert rig.row("sales_invoice-1").remote_id == "R1"


def test_receipts_from_the_trail_are_not_sent_again(make_rig: MakeRig) -> None:
    rig = exported(
        make_rig,
        source={"mark_exported": False},
        target={"idempotency": (Idempotency.PERSON,), "number_lookup": False},
    )
    pair = rig.store.pair_digest(rig.pair())
    known = rig.known("sales_invoice-1")
    receipts = [
        Receipt(pair, INVOICE, "", f"sales_invoice-{place}", state, 0, f"INV-{place}", "121.01", "EUR", remote, print_)
        for place, state, remote, print_ in (
            (1, State.EXPORTED, "R1", known.fingerprint),
            (2, State.SENDING, "", b""),
        )
    ]
    lost(rig, receipts)
    rig.shop.add(plain(INVOICE, 20))
    result = rig.run()
    assert result.exit == 1
    assert rig.states() == {
        "sales_invoice-1": "exported",
        "sales_invoice-2": "in_doubt",
        "sales_invoice-3": "held",
        "sales_invoice-20": "held",
    }
    assert len(rig.books.entries) == 3, "nothing can be asked, so a person says of each whether it is there"
    assert rig.codes("sales_invoice-20") == ["STORE_BEHIND"]
    rig.act("mark", "sales_invoice-3")
    rig.act("retry", "sales_invoice-20")
    rig.settle("sales_invoice-2", "R2")
    assert rig.run().exit == 0
    assert len(rig.books.entries) == 4


def test_a_receipt_without_content_learns_it(make_rig: MakeRig) -> None:
    rig = exported(make_rig, source={"mark_exported": False})
    pair = rig.store.pair_digest(rig.pair())
    lost(
        rig,
        [Receipt(pair, INVOICE, "", "sales_invoice-1", State.EXPORTED, 0, "INV-1", "121.01", "EUR", "R1")],
    )
    rig.run()
    rig.shop.edit(INVOICE, "sales_invoice-1", note="Changed")
    rig.run()
    assert rig.state("sales_invoice-1") is State.DRIFTED


def test_reconciling_names_each_difference(make_rig: MakeRig) -> None:
    rig = exported(make_rig, 4)
    whole = reconcile(rig.route(), date(2026, 1, 1), date(2026, 12, 31))
    assert (whole.agrees, whole.compared, whole.equal) == (True, 4, 4)
    assert whole.source_totals == whole.books_totals
    rig.books.void_by_hand(rig.books.by_key("sales_invoice-1")[0])
    rig.shop.edit(INVOICE, "sales_invoice-2", number="X")
    rig.shop.add(plain(BILL, 1))
    rig.shop.delete(INVOICE, "sales_invoice-3")
    found = reconcile(rig.route(), date(2026, 1, 1), date(2026, 12, 31))
    assert sorted((row.finding, row.key or row.number) for row in found.rows) == sorted(
        [
            (Finding.MISSING, "sales_invoice-1"),
            (Finding.NUMBER, "sales_invoice-2"),
            (Finding.EXTRA, "INV-3"),
            (Finding.NOT_EXPORTED, "vendor_bill-1"),
        ]
    )


def test_only_the_kinds_that_are_asked_for(make_rig: MakeRig) -> None:
    rig = make_rig(options=RouteOptions(items=(BILL,)))
    rig.shop.add(*[plain(kind, 1) for kind in Kind])
    rig.run()
    assert rig.states() == {"vendor_bill-1": "exported"}
