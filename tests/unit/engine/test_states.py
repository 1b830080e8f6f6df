"""The states of a document, as runs and persons lead it through them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from connector_service.contract.target import BookedState
from connector_service.domain.documents import MoneyDocument, Unreadable
from connector_service.domain.kinds import Kind, State
from connector_service.domain.problems import Conflict, NeedsUser
from tests.support.documents import plain, total_of
from tests.support.harness import Rig
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig


def dearer(document: object) -> dict[str, object]:
    assert isinstance(document, MoneyDocument)
    last = document.lines[-1]
    lines = (*document.lines[:-1], replace(last, amount=last.amount + 1))
    return {"lines": lines, "total": document.total + 1}


def test_all_kinds_go_out_once_and_to_the_cent(rig: Rig) -> None:
    rig.shop.add(*[plain(kind, place) for kind in Kind for place in range(1, 13)])
    first = rig.run()
    assert (first.exit, first.counts["exported"], first.counts["read"]) == (0, 60, 60)
    for one in rig.books.alive():
        assert one.total == total_of(rig.shop.document(one.document.kind, one.document.key))
    assert first.totals["sales_invoice"]["EUR"]["source"] == first.totals["sales_invoice"]["EUR"]["exported"]
    again = rig.run()
    assert (again.exit, again.counts.get("exported", 0), again.counts["unchanged"]) == (0, 0, 60)
    assert len(rig.books.entries) == 60


def test_each_way_is_one_event_with_what_belongs_to_it(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    assert rig.events_of("sales_invoice-1") == [("", "waiting"), ("waiting", "sending"), ("sending", "exported")]
    exported = [one for one in rig.events() if one.get("after") == "exported"]
    assert [(one["amount"], one["currency"], one["number"], one["remote_id"]) for one in exported] == [
        ("121.01", "EUR", "INV-1", "R1")
    ]


def test_a_change_after_the_export_drifts_and_may_be_taken_back(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    before = rig.shop.document(INVOICE, "sales_invoice-1")
    rig.shop.edit(INVOICE, before.key, **dearer(before))
    drifted = rig.run()
    row = rig.row(before.key)
    assert (row.state, row.status_code, drifted.exit) == (State.DRIFTED, "CHANGED_AT_SOURCE", 1)
    assert row.total == Decimal("121.01"), "what is booked is what is shown"
    assert "was 121.01, is 122.01" in row.problems[0].why
    assert "DOCUMENT_DRIFTED" in rig.issues()
    assert rig.run().counts["unchanged"] == 1, "told once"
    rig.shop.add(before)
    assert rig.run().exit == 0
    assert (rig.row(before.key).state, rig.row(before.key).problems) == (State.EXPORTED, ())
    assert rig.issues() == []
    assert len(rig.books.entries) == 1


def test_a_person_may_keep_what_is_booked(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    rig.shop.edit(INVOICE, "sales_invoice-1", **dearer(rig.shop.document(INVOICE, "sales_invoice-1")))
    rig.run()
    rig.accept("sales_invoice-1")
    row = rig.row("sales_invoice-1")
    assert (row.state, row.total, row.problems) == ("exported", Decimal("121.01"), ())
    assert rig.run().exit == 0
    assert rig.state("sales_invoice-1") is State.EXPORTED
    rig.shop.edit(INVOICE, "sales_invoice-1", note="And changed again")
    rig.run()
    assert rig.state("sales_invoice-1") is State.DRIFTED


def test_marks_of_the_source_are_no_change(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    rig.shop.edit(INVOICE, "sales_invoice-1", sent=True, paid=True, exported=True)
    assert rig.run().exit == 0
    assert rig.state("sales_invoice-1") is State.EXPORTED


def test_what_the_source_calls_exported_at_first_sight_is_marked(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1, exported=True), plain(INVOICE, 2))
    rig.run()
    assert rig.states() == {"sales_invoice-1": "marked", "sales_invoice-2": "exported"}
    rig.act("retry", "sales_invoice-1")
    rig.run()
    assert rig.state("sales_invoice-1") is State.EXPORTED, "a person has said so, whatever the source says"


def test_deleted_before_it_was_pushed_is_gone_and_may_come_back(rig: Rig) -> None:
    wrong = plain(INVOICE, 1, total=Decimal(1))
    rig.shop.add(wrong, plain(INVOICE, 2))
    rig.run()
    rig.shop.delete(INVOICE, wrong.key)
    rig.run()
    assert rig.state(wrong.key) is State.GONE
    assert rig.run().counts.get("gone", 0) == 0
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    assert rig.state(wrong.key) is State.EXPORTED
    assert ("", "waiting") in rig.events_of(wrong.key)[2:]


def test_what_is_deleted_while_it_waits_is_not_booked(make_rig: MakeRig) -> None:
    rig = make_rig(source={"incremental": True})
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2, total=Decimal(1)))
    rig.crash_at("push.before_intent")
    rig.shop.delete(INVOICE, "sales_invoice-1")
    rig.run()
    assert rig.state("sales_invoice-1") is State.GONE
    assert rig.books.entries == []


def test_exported_stays_exported_when_the_source_forgets_it(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2), plain(INVOICE, 3))
    rig.run()
    rig.shop.delete(INVOICE, "sales_invoice-1")
    rig.run()
    assert rig.state("sales_invoice-1") is State.EXPORTED


def test_refused_is_tried_again_only_when_it_has_changed(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2))
    rig.adapter.refuse = lambda document: "The account is closed." if document.key.endswith("-1") else None
    result = rig.run()
    assert (result.exit, rig.state("sales_invoice-1"), rig.state("sales_invoice-2")) == (1, "refused", "exported")
    assert "The account is closed." in rig.row("sales_invoice-1").problems[0].why
    for _ in range(3):
        result = rig.run()
        assert (result.exit, result.counts["refused"], rig.state("sales_invoice-1")) == (1, 1, "refused")
    assert sum("sales_invoice-1" in batch for batch in rig.adapter.batches) == 1
    rig.adapter.refuse = lambda _document: None
    rig.run()
    assert rig.state("sales_invoice-1") is State.REFUSED
    rig.shop.edit(INVOICE, "sales_invoice-1", note="Corrected")
    rig.run()
    assert rig.state("sales_invoice-1") is State.EXPORTED


def test_a_person_may_have_a_refused_one_tried_again(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.refuse = lambda _document: "Not today."
    rig.run()
    rig.adapter.refuse = lambda _document: None
    rig.act("retry", "sales_invoice-1")
    rig.run()
    assert rig.state("sales_invoice-1") is State.EXPORTED


def test_unreadable_is_kept_with_its_reason_and_freed(rig: Rig) -> None:
    rig.shop.add(Unreadable(INVOICE, "sales_invoice-1", "The total is 'abc'.", "Correct it."), plain(INVOICE, 2))
    result = rig.run()
    row = rig.row("sales_invoice-1")
    assert (result.exit, row.state, row.status_code, row.problems[0].what) == (
        1,
        "unreadable",
        "UNREADABLE",
        "The total is 'abc'.",
    )
    events = len(rig.events_of("sales_invoice-1"))
    assert rig.run().counts["unreadable"] == 1
    assert len(rig.events_of("sales_invoice-1")) == events, "the same fault seen again is no news"
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    assert rig.state("sales_invoice-1") is State.EXPORTED


def test_an_unreadable_row_without_a_date_that_is_deleted_is_gone(rig: Rig) -> None:
    rig.shop.add(Unreadable(INVOICE, "row 7", "It has no date.", "Give it one."), plain(INVOICE, 1))
    rig.run()
    rig.shop.delete(INVOICE, "row 7")
    rig.run()
    assert rig.state("row 7") is State.GONE


def test_a_held_one_that_cannot_be_read_any_more_says_so_once(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1, total=Decimal(1)))
    rig.run()
    rig.shop.add(Unreadable(INVOICE, "sales_invoice-1", "The total is 'abc'.", "Correct it."))
    rig.run()
    assert (rig.state("sales_invoice-1"), rig.codes("sales_invoice-1")) == ("held", ["UNREADABLE"])
    events = len(rig.events_of("sales_invoice-1"))
    rig.run()
    assert len(rig.events_of("sales_invoice-1")) == events


def test_held_is_freed_when_its_cause_has_gone(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1, total=Decimal("1.00")))
    result = rig.run()
    assert (result.exit, rig.state("sales_invoice-1"), rig.codes("sales_invoice-1")) == (1, "held", ["TOTAL_MISMATCH"])
    events = len(rig.events_of("sales_invoice-1"))
    assert rig.run().counts["held"] == 1
    assert len(rig.events_of("sales_invoice-1")) == events, "held for the same cause is no news"
    rig.shop.add(plain(INVOICE, 1))
    assert rig.run().exit == 0
    assert (rig.state("sales_invoice-1"), rig.codes("sales_invoice-1")) == ("exported", [])


@pytest.mark.parametrize("action", ["ignore", "mark"])
def test_what_a_person_puts_aside_stays_there(rig: Rig, action: str) -> None:
    rig.shop.add(plain(INVOICE, 1, total=Decimal(1)))
    rig.run()
    rig.act(action, "sales_invoice-1")
    rig.shop.add(plain(INVOICE, 1))
    assert rig.run().exit == 0
    assert rig.state("sales_invoice-1") == {"ignore": "ignored", "mark": "marked"}[action]
    assert rig.books.entries == []
    rig.act("retry", "sales_invoice-1")
    rig.run()
    assert rig.state("sales_invoice-1") is State.EXPORTED


def test_an_action_that_does_not_fit_changes_nothing(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2, total=Decimal(1)))
    rig.run()
    with pytest.raises(Conflict):
        rig.act("ignore", "sales_invoice-2", "sales_invoice-1")
    assert rig.states() == {"sales_invoice-1": "exported", "sales_invoice-2": "held"}


def test_undo_voids_once_and_the_document_may_go_out_again(make_rig: MakeRig) -> None:
    rig = make_rig(source={"mark_exported": False})
    rig.shop.add(plain(BILL, 1))
    rig.run()
    rig.undo("vendor_bill-1")
    assert (rig.state("vendor_bill-1"), rig.books.entries[0].state) == ("undone", BookedState.VOID)
    rig.run()
    assert rig.state("vendor_bill-1") is State.UNDONE
    rig.act("retry", "vendor_bill-1")
    rig.run()
    assert rig.state("vendor_bill-1") is State.EXPORTED
    assert [one.state for one in rig.books.entries] == [BookedState.VOID, BookedState.OPEN]


def test_an_undo_is_refused_where_the_books_cannot(make_rig: MakeRig) -> None:
    rig = make_rig(target={"void": False})
    rig.shop.add(plain(BILL, 1))
    rig.run()
    with pytest.raises(NeedsUser):
        rig.undo("vendor_bill-1")
    assert rig.state("vendor_bill-1") is State.EXPORTED


@pytest.mark.parametrize("point", ["undo.after_intent", "undo.after_call"])
@pytest.mark.parametrize("asked_again", [True, False])
def test_an_undo_that_is_cut_off_is_finished(rig: Rig, point: str, asked_again: bool) -> None:
    rig.shop.add(plain(BILL, 1))
    rig.run()
    assert rig.power_cut_in(point, lambda: rig.undo("vendor_bill-1"))
    assert rig.state("vendor_bill-1") is State.EXPORTED
    if asked_again:
        rig.undo("vendor_bill-1")
    else:
        rig.run()
    assert (rig.state("vendor_bill-1"), rig.books.alive()) == ("undone", [])


def test_the_same_number_for_two_suppliers_is_fine(rig: Rig) -> None:
    rig.shop.add(plain(BILL, 1, number="77", party_key="S1"), plain(BILL, 2, number="77", party_key="S2"))
    assert rig.run().exit == 0


def test_a_total_that_the_books_compute_otherwise_is_told(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1))
    rig.adapter.computes = lambda _document: Decimal("121.02")
    rig.run()
    row = rig.row("sales_invoice-1")
    assert (row.state, row.flags, row.booked_total) == (
        "exported",
        ("booked_differs",),
        Decimal("121.02"),
    )
    assert row.status_code == "BOOKED_DIFFERS"
    assert "BOOKED_DIFFERS" in rig.issues()


@pytest.mark.parametrize("accepted", [True, False])
def test_what_is_undone_after_a_change_goes_out_as_it_is_now(make_rig: MakeRig, accepted: bool) -> None:
    rig = make_rig(source={"consumes": True, "probe": False, "mark_exported": False})
    rig.shop.add(plain(INVOICE, 1))
    rig.run()
    rig.shop.add(plain(INVOICE, 1, note="Changed"))
    rig.run()
    assert rig.state("sales_invoice-1") is State.DRIFTED
    if accepted:
        rig.accept("sales_invoice-1")
    rig.undo("sales_invoice-1")
    rig.act("retry", "sales_invoice-1")
    rig.run()
    (booked,) = rig.books.alive()
    assert isinstance(booked.document, MoneyDocument)
    assert (rig.state("sales_invoice-1"), booked.document.note) == ("exported", "Changed")
