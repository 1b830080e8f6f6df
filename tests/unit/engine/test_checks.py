"""Every status code by a document that has exactly it, their order, and the numbers that the books hold already."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connector_service.contract.manifest import Idempotency, Limits, ListPolicy
from connector_service.contract.target import CompanyInfo
from connector_service.domain.documents import Line, MoneyDocument, Unreadable
from connector_service.domain.kinds import Kind, State
from connector_service.domain.reference import Link, LinkKind, ReferenceKind, ReferenceRecord
from connector_service.domain.status_codes import StatusCode
from connector_service.engine import actions
from connector_service.engine.setup import RouteOptions
from tests.support.documents import plain
from tests.support.harness import Rig
from tests.unit.engine.conftest import BILL, INVOICE, MakeRig

CLOSED = {
    LinkKind.CUSTOMER: ReferenceKind.CUSTOMER,
    LinkKind.SUPPLIER: ReferenceKind.SUPPLIER,
    LinkKind.EMPLOYEE: ReferenceKind.EMPLOYEE,
    LinkKind.ACCOUNT: ReferenceKind.ACCOUNT,
    LinkKind.TAX_CODE: ReferenceKind.TAX_CODE,
    LinkKind.ITEM: ReferenceKind.ITEM,
    LinkKind.COST_CODE: ReferenceKind.COST_CODE,
    LinkKind.PROJECT: ReferenceKind.PROJECT_CODE,
    LinkKind.TERM: ReferenceKind.TERM,
    LinkKind.PAY_ITEM: ReferenceKind.PAY_ITEM,
}
LISTS: dict[ReferenceKind, list[tuple[str, str, str]]] = {
    ReferenceKind.CUSTOMER: [(f"id-C{n}", "", f"Customer {n}") for n in range(5)],
    ReferenceKind.SUPPLIER: [(f"id-S{n}", "", f"Supplier {n}") for n in range(5)],
    ReferenceKind.EMPLOYEE: [(f"id-E{n}", "", f"Employee {n}") for n in range(3)],
    ReferenceKind.ACCOUNT: [(f"id-{code}", code, code) for code in ("8000", "8100", "4000", "4100")],
    ReferenceKind.TAX_CODE: [("id-V21", "V21", "21 %")],
    ReferenceKind.ITEM: [("id-I1", "I1", "Item")],
    ReferenceKind.COST_CODE: [("id-K1", "K1", "Cost")],
    ReferenceKind.PROJECT_CODE: [("id-P1", "P1", "Project")],
    ReferenceKind.TERM: [("id-30", "30", "30 days")],
    ReferenceKind.PAY_ITEM: [("id-regular", "regular", "Regular")],
}


@pytest.fixture
def closed(make_rig: MakeRig) -> Rig:
    """Books with closed lists, a home currency, limits of length and a closed period."""
    rig = make_rig(
        target={
            "lists": dict.fromkeys(CLOSED, ListPolicy.CLOSED),
            "reference_kinds": frozenset(CLOSED.values()),
            "needs_rate": True,
            "limits": Limits(batch_size=10, field_lengths={"number": 20, "line.description": 40}),
        },
        options=RouteOptions(begin=date(2025, 1, 1), require_sent=True),
    )
    rig.adapter.info = CompanyInfo("C1", "Company", "EUR", date(2025, 6, 30), frozenset({"EUR", "USD"}))
    for kind, rows in LISTS.items():
        rig.books.lists[kind] = [ReferenceRecord(kind=kind, id=id_, code=code, name=name) for id_, code, name in rows]
    return rig


def line(document: Any, **changes: Any) -> dict[str, Any]:
    return {"lines": (replace(document.lines[0], **changes), *document.lines[1:])}


@dataclass
class Case:
    """A document with one fault, and the code that it gets."""

    code: StatusCode
    kind: Kind = INVOICE
    change: Callable[[Any], dict[str, Any]] = field(default=lambda _document: {})
    late: bool = False
    """Whether it comes after the begin date was applied."""


CASES = [
    Case(StatusCode.NOT_SENT, change=lambda _one: {"sent": None}),
    Case(StatusCode.NOT_APPROVED, Kind.TIME_RECORD, lambda _one: {"approved": False}),
    Case(StatusCode.DATED_BEFORE_BEGIN, BILL, lambda _one: {"date": date(2024, 12, 31)}, late=True),
    Case(StatusCode.PARTY_NOT_LINKED, change=lambda _one: {"party_key": "C9", "party_name": "Nobody"}),
    Case(StatusCode.CARE_OF_NOT_LINKED, change=lambda _one: {"care_of_key": "C77"}),
    Case(StatusCode.EMPLOYEE_NOT_LINKED, Kind.TIME_RECORD, lambda _one: {"employee_key": "X", "employee_name": "X"}),
    Case(StatusCode.NUMBER_MISSING, change=lambda _one: {"number": ""}),
    Case(StatusCode.ACCOUNT_NOT_MAPPED, change=lambda one: line(one, account="9999")),
    Case(StatusCode.ACCOUNT_NOT_MAPPED, change=lambda one: line(one, account="")),
    Case(StatusCode.ITEM_NOT_MAPPED, change=lambda one: line(one, item="I9")),
    Case(StatusCode.TAX_NOT_MAPPED, change=lambda one: line(one, tax_code="V6")),
    Case(StatusCode.TAX_NOT_MAPPED, change=lambda _one: {"freight_tax_code": "V6"}),
    Case(StatusCode.COST_CODE_NOT_MAPPED, change=lambda one: line(one, cost_code="K9")),
    Case(StatusCode.PROJECT_NOT_MAPPED, change=lambda one: line(one, project="P9")),
    Case(StatusCode.PROJECT_NOT_MAPPED, Kind.TIME_RECORD, lambda _one: {"job": "P9"}),
    Case(StatusCode.TERM_NOT_MAPPED, change=lambda _one: {"terms": "99"}),
    Case(StatusCode.PAY_ITEM_NOT_MAPPED, Kind.TIME_RECORD, lambda _one: {"pay_item": "double"}),
    Case(StatusCode.LINE_WITHOUT_TEXT, change=lambda one: line(one, description=" ")),
    Case(StatusCode.TOTAL_MISMATCH, change=lambda one: {"total": one.total + Decimal("0.01")}),
    Case(StatusCode.PERIOD_CLOSED, BILL, lambda _one: {"date": date(2025, 6, 30)}),
    Case(StatusCode.CURRENCY_NOT_ENABLED, BILL, lambda _one: {"currency": "GBP", "rate": Decimal("1.2")}),
    Case(StatusCode.RATE_MISSING, BILL, lambda _one: {"currency": "USD"}),
    Case(StatusCode.FIELD_TOO_LONG, change=lambda one: line(one, description="x" * 41)),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{one.code.value} {one.kind.value}" for one in CASES])
def test_a_document_with_one_fault_has_its_code_and_is_not_sent(closed: Rig, case: Case) -> None:
    sound = plain(case.kind, 1, **({"sent": True} if case.kind.is_sales else {}))
    if case.late:
        closed.adapter.info = replace(closed.adapter.info, locked_until=None)
        closed.shop.add(plain(case.kind, 9))
        closed.run()
    closed.shop.add(replace(sound, **case.change(sound)))
    closed.run()
    assert (closed.state(sound.key), closed.codes(sound.key)) == ("held", [case.code])
    assert not closed.books.by_key(sound.key)
    found = closed.row(sound.key).problems[0]
    assert found.what
    assert found.why
    assert found.fix
    assert "{" not in found.what + found.why + found.fix
    closed.shop.add(sound)
    closed.run()
    assert (closed.state(sound.key), closed.codes(sound.key)) == ("exported", []), "freed when the cause is gone"


def test_all_problems_are_told_and_the_first_of_the_order_counts(closed: Rig) -> None:
    wrong = plain(
        INVOICE,
        1,
        party_key="C9",
        party_name="Nobody",
        number="",
        terms="99",
        total=Decimal(1),
        date=date(2025, 6, 1),
        currency="GBP",
        lines=(Line(account="9999", item="I9", tax_code="V6", cost_code="K9", project="P9", description=""),),
    )
    closed.shop.add(wrong)
    closed.run()
    told = closed.codes(wrong.key)
    order = [code.value for code in StatusCode]
    assert told == sorted(told, key=order.index)
    assert (told[0], closed.row(wrong.key).status_code) == ("NOT_SENT", "NOT_SENT")
    assert set(told) == {
        *("NOT_SENT", "PARTY_NOT_LINKED", "NUMBER_MISSING", "ACCOUNT_NOT_MAPPED", "ITEM_NOT_MAPPED", "TAX_NOT_MAPPED"),
        *("COST_CODE_NOT_MAPPED", "PROJECT_NOT_MAPPED", "TERM_NOT_MAPPED", "LINE_WITHOUT_TEXT", "TOTAL_MISMATCH"),
        *("PERIOD_CLOSED", "CURRENCY_NOT_ENABLED", "RATE_MISSING"),
    }


def test_a_link_to_what_is_not_there_names_the_right_one(closed: Rig) -> None:
    closed.shop.add(plain(INVOICE, 1, sent=True))
    closed.run()
    closed.store.save_links(closed.context(), [Link(LinkKind.CUSTOMER, "C2", "gone", by_person=True)])
    closed.shop.add(plain(INVOICE, 2, sent=True))
    closed.run()
    assert closed.codes("sales_invoice-2") == ["LINK_WRONG"]
    assert "id-C2" in closed.row("sales_invoice-2").problems[0].why


def test_an_inactive_party(closed: Rig) -> None:
    closed.shop.add(plain(INVOICE, 1, sent=True))
    closed.run()
    customers = closed.books.lists[ReferenceKind.CUSTOMER]
    customers[1] = replace(customers[1], active=False)
    closed.clock.forward(hours=1)
    closed.shop.add(plain(INVOICE, 6, sent=True))
    closed.run()
    assert closed.codes("sales_invoice-6") == ["PARTY_INACTIVE"]


def test_a_list_that_loses_a_row_is_heeded(closed: Rig) -> None:
    closed.shop.add(plain(INVOICE, 1, sent=True))
    closed.run()
    closed.books.lists[ReferenceKind.TAX_CODE] = []
    closed.clock.forward(hours=1)
    closed.shop.add(plain(INVOICE, 2, sent=True))
    closed.run()
    assert closed.codes("sales_invoice-2") == ["TAX_NOT_MAPPED"] * 2


def test_a_link_set_by_a_person_goes_before_the_code(closed: Rig) -> None:
    closed.shop.add(plain(INVOICE, 1))  # held, so that the route knows its pair
    closed.run()
    closed.store.save_links(closed.context(), [Link(LinkKind.ACCOUNT, "8000", "id-4000", by_person=True)])
    closed.shop.edit(INVOICE, "sales_invoice-1", sent=True)
    closed.run()
    assert closed.state("sales_invoice-1") is State.EXPORTED


def test_two_parties_of_one_name_are_not_linked_by_it(closed: Rig) -> None:
    closed.books.lists[ReferenceKind.CUSTOMER].append(
        ReferenceRecord(kind=ReferenceKind.CUSTOMER, id="other", code="", name="CUSTOMER  1")
    )
    closed.shop.add(plain(INVOICE, 1, sent=True))
    closed.run()
    assert closed.codes("sales_invoice-1") == ["PARTY_NOT_LINKED"]


def test_without_the_option_no_name_is_linked_by_itself(closed: Rig) -> None:
    closed.set(auto_link="none")
    closed.shop.add(plain(INVOICE, 1, sent=True))
    closed.run()
    assert closed.codes("sales_invoice-1") == ["PARTY_NOT_LINKED"]


def test_a_person_says_that_it_was_sent(closed: Rig) -> None:
    closed.shop.add(plain(INVOICE, 1))
    closed.run()
    actions.mark_sent(closed.store, closed.context(), closed.known("sales_invoice-1"))
    closed.run()
    assert closed.state("sales_invoice-1") is State.EXPORTED


def test_checks_that_are_off(closed: Rig) -> None:
    closed.set(checks_off=frozenset({StatusCode.LINE_WITHOUT_TEXT}), require_sent=False, approved_only=False)
    one = plain(INVOICE, 1)
    closed.shop.add(replace(one, **line(one, description="")), plain(Kind.TIME_RECORD, 1, approved=False))
    assert closed.run().exit == 0


def test_a_closed_period_may_be_passed_over(closed: Rig) -> None:
    closed.set(closed_period="next_open")
    closed.shop.add(plain(BILL, 1, date=date(2025, 6, 1)))
    assert closed.run().exit == 0
    assert closed.books.entries[0].document.date == date(2025, 7, 1)


def test_unreadable_is_a_code_of_its_own(closed: Rig) -> None:
    closed.shop.add(Unreadable(INVOICE, "x", "The total is 'abc'.", "Correct it."))
    closed.run()
    assert (closed.state("x"), closed.codes("x")) == ("unreadable", ["UNREADABLE"])


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_a_number_that_the_books_hold_already(rig: Rig) -> None:
    other = rig.books.book(plain(INVOICE, 7, number="INV-1"), "")
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2))
    rig.run()
    assert (rig.codes("sales_invoice-1"), rig.state("sales_invoice-2")) == (["NUMBER_EXISTS"], "exported")
    assert other.remote_id in rig.row("sales_invoice-1").problems[0].why
    assert rig.adapter.calls["look_up"] == 1, "one look-up for all"
    rig.books.void_by_hand(other)
    rig.run()
    assert rig.state("sales_invoice-1") is State.EXPORTED


def test_a_bill_s_number_counts_for_its_supplier_only(rig: Rig) -> None:
    rig.books.book(plain(BILL, 7, number="77"), "", "S9")
    rig.shop.add(plain(BILL, 1, number="77"))
    assert rig.run().exit == 0
    rig.books.book(plain(BILL, 8, number="78"), "", "S2")
    rig.shop.add(plain(BILL, 2, number="78"))
    rig.run()
    assert rig.codes("vendor_bill-2") == ["NUMBER_EXISTS"]


def test_our_own_document_in_the_books_is_adopted(make_rig: MakeRig) -> None:
    before = make_rig()
    before.shop.add(plain(INVOICE, 1))
    before.run()
    rig = make_rig()
    rig.books.entries = before.books.entries
    rig.shop.add(plain(INVOICE, 1), plain(INVOICE, 2))
    rig.run()
    assert set(rig.states().values()) == {"exported"}
    assert rig.adapter.batches == [("sales_invoice-2",)]
    assert rig.row("sales_invoice-1").remote_id == "R1"
    assert rig.shop.marked[INVOICE, "sales_invoice-1", False] == 1


def test_one_number_twice_in_one_reading_holds_both(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1, number="7"), plain(INVOICE, 2, number="7"), plain(INVOICE, 3))
    rig.run()
    assert rig.codes("sales_invoice-1") == rig.codes("sales_invoice-2") == ["SAME_NUMBER_OTHER_CONTENT"]
    rig.shop.edit(INVOICE, "sales_invoice-2", number="8")
    assert rig.run().exit == 0
    assert set(rig.states().values()) == {"exported"}


@pytest.mark.parametrize("lookup", [True, False])
def test_one_number_again_in_a_later_run_holds_the_second(make_rig: MakeRig, lookup: bool) -> None:
    rig = make_rig(target={"number_lookup": lookup})
    rig.shop.add(plain(INVOICE, 1, number="7"))
    rig.run()
    rig.shop.add(plain(INVOICE, 2, number="7"))
    rig.run()
    assert rig.state("sales_invoice-1") is State.EXPORTED
    assert "SAME_NUMBER_OTHER_CONTENT" in rig.codes("sales_invoice-2")
    rig.act("ignore", "sales_invoice-2")
    assert rig.run().exit == 0


def test_the_other_of_two_goes_out_when_one_is_ignored(make_rig: MakeRig) -> None:
    rig = make_rig(source={"incremental": True})
    rig.shop.add(plain(INVOICE, 1, number="7"), plain(INVOICE, 2, number="7"))
    rig.run()
    rig.act("ignore", "sales_invoice-2")
    rig.clock.forward(hours=2)
    rig.run()
    assert rig.states() == {"sales_invoice-1": "exported", "sales_invoice-2": "ignored"}


def test_an_invoice_and_a_credit_note_may_share_a_number(rig: Rig) -> None:
    rig.shop.add(plain(INVOICE, 1, number="7"), plain(Kind.SALES_CREDIT_NOTE, 1, number="7"))
    assert rig.run().exit == 0


# -- sums -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({"rounding": Decimal("-0.01"), "total": Decimal("121.00")}, True),
        ({"freight": Decimal("5.00"), "discount": Decimal("1.00"), "total": Decimal("125.01")}, True),
        ({"prices_include_tax": True, "total": Decimal("100.01")}, True),
        ({"prices_include_tax": True}, False),
        ({"total": Decimal("121.005")}, False),
        ({"total": Decimal("121.0100")}, True),
        ({"tax_total": Decimal("21.01"), "total": Decimal("121.02")}, True),
        ({"tax_total": Decimal("21.02"), "total": Decimal("121.03")}, False),
        ({"total": Decimal("-1.00")}, False),
    ],
)
def test_sums_fit_to_the_cent(rig: Rig, change: dict[str, Any], fits: bool) -> None:
    one = plain(INVOICE, 1, **change)
    assert isinstance(one, MoneyDocument)
    rig.shop.add(one)
    rig.run()
    assert (rig.state(one.key), rig.codes(one.key)) == (("exported", []) if fits else ("held", ["TOTAL_MISMATCH"]))


def test_no_number_is_needed_where_the_books_give_it(make_rig: MakeRig) -> None:
    rig = make_rig(target={"number_required": False, "idempotency": (Idempotency.EXTERNAL_REFERENCE,)})
    rig.shop.add(plain(INVOICE, 1, number=""), plain(INVOICE, 2, number=""))
    assert rig.run().exit == 0
