"""The books as two independent programs read them, against sums worked out from the documents alone."""

import io
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.contract.target import Done, LookUp, Outcome, Posting, Refused
from connector_service.domain.documents import Document, Line, SalesInvoice, TimeRecord, VendorBill
from connector_service.domain.kinds import Kind
from connector_service.domain.reference import LinkKind, ReferenceKind
from connector_service.targets.journal.adapter import JournalTarget
from connector_service.targets.journal.balances import balances
from connector_service.targets.journal.hledger import export_hledger
from tests.support.documents import plain
from tests.support.strategies import NASTY, documents
from tests.systems.journal.names import reference
from tests.systems.journal.oracle import (
    amounts_of,
    bean_check,
    expected,
    grouped,
    hledger,
    hledger_balances,
    postings,
    read,
)

needs_hledger = pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")


def push_all(target: JournalTarget, posts: Sequence[Posting]) -> list[Outcome]:
    """Push in one call for each stretch of one kind, as the engine does."""
    outcomes: list[Outcome] = []
    for kind, group in groupby(posts, key=lambda posting: posting.document.kind):
        outcomes += target.push(target.prepare(kind, list(group), "key"))
    return outcomes


@given(st.lists(documents(), min_size=1, max_size=6))
def test_any_valid_documents_make_books_that_balance_to_the_cent(made: list[Document]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        books = Path(folder) / "books"
        target = JournalTarget(books)
        outcomes = push_all(target, postings(made))
        assert [type(outcome) for outcome in outcomes] == [Done] * len(made), outcomes
        seen = read(books)
        assert seen.errors == []
        assert len(seen.transactions) == len(made)
        assert set(seen.references) == {reference(place) for place in range(len(made))}
        assert grouped(seen.accounts()) == expected(made)
        assert grouped((one.account, one.currency, one.balance) for one in balances(books)) == expected(made)
        for document, entry in zip(made, sorted(seen.transactions, key=lambda one: one.meta["reference"]), strict=True):
            assert grouped(amounts_of(entry)) == expected([document])
        # What the index was told when it was written is what a scan of the files finds.
        first = everything(target, made)
        target.close()
        (books / ".index.db").unlink()
        again = JournalTarget(books)
        assert everything(again, made) == first
        again.close()


def everything(target: JournalTarget, made: Sequence[Document]) -> list[Any]:
    """All that can be looked up of these documents."""
    questions = [LookUp(document.kind, external_reference=reference(place)) for place, document in enumerate(made)]
    questions += [LookUp(document.kind, number=document.number) for document in made if document.number]
    return [sorted(map(repr, found)) for found in target.look_up(questions)]


@needs_hledger
def test_bean_check_and_hledger_agree_with_the_documents(tmp_path: Path) -> None:
    made = [plain(kind, place) for kind in Kind for place in range(1, 30)]
    made += [plain(kind, place, currency="JPY") for kind in Kind if kind.is_money for place in range(30, 33)]
    made += [plain(Kind.SALES_INVOICE, 40 + at, note=text, party_name=text) for at, text in enumerate(NASTY)]
    made += [plain(Kind.VENDOR_BILL, 40 + at, number=text, party_key=text) for at, text in enumerate(NASTY)]
    made += [plain(Kind.SALES_INVOICE, 90 + at, date=date(2024 + at, 5, 1)) for at in range(4)]
    target = JournalTarget(tmp_path / "books")
    assert all(isinstance(outcome, Done) for outcome in push_all(target, postings(made)))
    target.void(Kind.SALES_INVOICE, reference(0), "void-1", date(2026, 6, 1))
    checked = bean_check(tmp_path / "books")
    assert checked.returncode == 0, checked.stderr
    journal = tmp_path / "books.journal"
    with journal.open("w", encoding="utf-8") as out:
        assert export_hledger(tmp_path / "books", out) == len(made) + 1
    hledger(journal, "check", "--strict", "payees", "accounts", "commodities")
    booked = grouped((one.account, one.currency, one.balance) for one in balances(tmp_path / "books"))
    assert booked == expected(made[1:])
    in_cents = {key: value for key, value in booked.items() if key[1] != "JPY"}
    by_hledger = grouped(hledger_balances(journal))
    assert {key: value for key, value in by_hledger.items() if key[1] != "JPY"} == in_cents
    found = hledger(journal, "print", f"tag:reference=^{reference(1)}$")
    assert "INV-2" in found
    assert "due:" in found


@given(st.lists(documents(), min_size=1, max_size=4))
def test_any_documents_survive_the_export(made: list[Document]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        books = Path(folder) / "books"
        target = JournalTarget(books)
        push_all(target, postings(made))
        target.close()
        out = io.StringIO()
        assert export_hledger(books, out) == len(made)
        # Nothing that a text holds may become a line, a tag or a date of its own.
        for line in out.getvalue().split("\n"):
            assert (
                line[:1] in ("", " ")
                or line.split(" ")[0] in ("account", "commodity", "payee", "decimal-mark")
                or (line[:4].isdigit() and line[4] == "-")
            )
            if line.lstrip().startswith(";"):
                assert not set(line) & set(",[]")


def test_hostile_keys_never_share_an_account(tmp_path: Path) -> None:
    variants = [
        "A-B",
        "A B",
        "A.B",
        "a-b",
        "a b",
        "A_B",
        "A-B ",
        " A-B",
        "Á-B",
        "A\u0301-B",
        "A:B",
        "Assets:Receivable:A-B",
    ]
    variants += ["x" * 60, "x" * 60 + "y", "Discount", "Unspecified", *NASTY]
    keys = list(dict.fromkeys(variants))
    keys += [account.rpartition(":")[2] for account in account_of(tmp_path / "first", keys).values()]
    keys = list(dict.fromkeys(keys))
    by_key = account_of(tmp_path / "second", keys)
    assert len(set(by_key.values())) == len(keys)
    assert by_key["A-B"] == "Assets:Receivable:A-B"


def account_of(books: Path, keys: Sequence[str]) -> dict[str, str]:
    """The receivable account that each customer key is given."""
    made = [plain(Kind.SALES_INVOICE, place, party_key=key) for place, key in enumerate(keys)]
    target = JournalTarget(books)
    push_all(target, postings(made))
    seen = read(books)
    assert seen.errors == []
    by_reference = {entry.meta["reference"]: entry for entry in seen.transactions}
    found = {}
    for place, key in enumerate(keys):
        accounts = [posting.account for posting in by_reference[reference(place)].postings]
        (found[key],) = [name for name in accounts if name.startswith("Assets:Receivable:")]
    listed = {record.id for record in target.reference(ReferenceKind.CUSTOMER, None)}
    assert listed == {key.replace("\r\n", "\n").replace("\x00", "\ufffd").replace("\x07", "\ufffd") for key in keys}
    target.close()
    return found


def test_halves_of_surrogate_pairs_are_taken_too(tmp_path: Path) -> None:
    target = JournalTarget(tmp_path / "books")
    made = plain(Kind.SALES_INVOICE, 1, note="half \ud83d", party_key="C\udfff", number="N\ud83d")
    assert isinstance(push_all(target, postings([made]))[0], Done)
    assert read(tmp_path / "books").errors == []
    (found,) = target.look_up([LookUp(Kind.SALES_INVOICE, number="N\ud83d")])
    assert len(found) == 1


def invoice(*lines: Line, **changes: Any) -> SalesInvoice:
    """A sales invoice with these lines, whose total is what its parts come to."""
    fields: dict[str, Any] = {"key": "1", "number": "1", "date": date(2026, 3, 1), "party_key": "C", "currency": "EUR"}
    fields |= {"lines": lines, "total": Decimal(0), **changes}
    return SalesInvoice(**{**fields, "total": SalesInvoice(**fields).computed_total()})


def booked(tmp_path: Path, document: Document, **targets: str) -> dict[str, Decimal]:
    """The amounts by account that one document leads to."""
    links = {(LinkKind(kind), "linked"): goal for kind, goal in targets.items()}
    target = JournalTarget(tmp_path / "books")
    (outcome,) = target.push(target.prepare(document.kind, [Posting(document, "CS-1", links)], "key"))
    assert isinstance(outcome, Done), outcome
    seen = read(tmp_path / "books")
    assert seen.errors == []
    sums: dict[str, Decimal] = {}
    for account, _, amount in seen.accounts():
        sums[account] = sums.get(account, Decimal(0)) + amount
    return sums


def line(amount: str, code: str = "", tax: str | None = None, account: str = "8000") -> Line:
    """A line with what matters for tax."""
    return Line(
        description="x",
        amount=Decimal(amount),
        account=account,
        tax_code=code,
        tax_amount=None if tax is None else Decimal(tax),
    )


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        pytest.param(
            invoice(line("100.00", "V21", "21.00"), line("50.00", "V9", "4.50"), tax_total=Decimal("25.50")),
            {"Income:8000": "-150.00", "Liabilities:Tax:V21": "-21.00", "Liabilities:Tax:V9": "-4.50"},
            id="tax by code",
        ),
        pytest.param(
            invoice(line("100.00", "V21"), line("50.00", "V21"), tax_total=Decimal("31.50")),
            {"Income:8000": "-150.00", "Liabilities:Tax:V21": "-31.50"},
            id="one code and no amounts",
        ),
        pytest.param(
            invoice(line("100.00", "V21"), line("50.00", "V9"), tax_total=Decimal("25.50")),
            {"Income:8000": "-150.00", "Liabilities:Tax:Unspecified": "-25.50"},
            id="two codes and no amounts",
        ),
        pytest.param(
            invoice(line("0.03", "V21", "0.01"), line("0.03", "V21", "0.01"), tax_total=Decimal("0.01")),
            {"Income:8000": "-0.06", "Liabilities:Tax:V21": "-0.01"},
            id="rounding by line against document",
        ),
        pytest.param(
            invoice(
                line("100.00", "V9", "9.00"),
                freight=Decimal("10.00"),
                freight_tax_code="V21",
                tax_total=Decimal("11.10"),
            ),
            {
                "Income:8000": "-100.00",
                "Income:Freight": "-10.00",
                "Liabilities:Tax:V9": "-9.00",
                "Liabilities:Tax:V21": "-2.10",
            },
            id="tax on freight",
        ),
        pytest.param(
            invoice(
                line("100.00", "V21", "21.00"),
                discount=Decimal("5.00"),
                rounding=Decimal("-0.02"),
                tax_total=Decimal("21.00"),
            ),
            {
                "Income:8000": "-100.00",
                "Income:Discount": "5.00",
                "Income:Rounding": "0.02",
                "Liabilities:Tax:V21": "-21.00",
            },
            id="discount and rounding have accounts of their own",
        ),
        pytest.param(
            invoice(line("121.00", "V21", "21.00"), tax_total=Decimal("21.00"), prices_include_tax=True),
            {"Income:8000": "-100.00", "Liabilities:Tax:V21": "-21.00"},
            id="prices include tax",
        ),
        pytest.param(
            invoice(
                line("121.00", "V21", account="8000"),
                line("60.50", "V21", account="8100"),
                tax_total=Decimal("31.50"),
                prices_include_tax=True,
            ),
            {"Income:8000": "-100.00", "Income:8100": "-50.00", "Liabilities:Tax:V21": "-31.50"},
            id="prices include tax that no line names",
        ),
        pytest.param(
            invoice(line("100.00", account="Discount"), discount=Decimal("5.00")),
            {"Income:Discount-xe227b96b8cba": "-100.00", "Income:Discount": "5.00"},
            id="an account of the source that is called as one of ours",
        ),
        pytest.param(invoice(line("100.00", account="")), {"Income:Unspecified": "-100.00"}, id="no account, no tax"),
    ],
)
def test_where_the_amounts_go(tmp_path: Path, document: SalesInvoice, wanted: dict[str, str]) -> None:
    amounts = {account: Decimal(amount) for account, amount in wanted.items()}
    assert booked(tmp_path, document) == {"Assets:Receivable:C": document.total, **amounts}


def test_a_link_to_a_full_account_name_is_that_account(tmp_path: Path) -> None:
    document = VendorBill(
        key="1",
        number="1",
        date=date(2026, 1, 1),
        party_key="linked",
        currency="EUR",
        total=Decimal(5),
        lines=(line("5", account="linked"),),
    )
    found = booked(tmp_path, document, account="Assets:Stock", supplier="Liabilities:Payable:Old")
    assert found == {"Assets:Stock": Decimal(5), "Liabilities:Payable:Old": Decimal(-5)}


def test_time_adds_up_in_whole_minutes(tmp_path: Path) -> None:
    made = [
        TimeRecord(
            key=str(at), date=date(2026, 1, 5), employee_key="E1", minutes=20, pay_item="regular", overtime=at == 2
        )
        for at in range(3)
    ]
    target = JournalTarget(tmp_path / "books")
    push_all(target, postings(made))
    assert [(one.currency, one.balance) for one in balances(tmp_path / "books")] == [
        ("MINUTES", Decimal(60)),
        ("MINUTES", Decimal(-60)),
    ]
    seen = read(tmp_path / "books")
    assert [entry.tags for entry in seen.transactions if "overtime" in entry.tags] == [{"time-record", "overtime"}]
    assert sorted(path.name for path in (tmp_path / "books").glob("*.beancount")) == [
        "accounts.beancount",
        "main.beancount",
        "parties.beancount",
        "time-2026.beancount",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": Decimal("1.00")}, "total"),
        ({"date": date(1899, 12, 31)}, "date"),
        ({"rounding": Decimal("1E-9"), "total": Decimal("121.010000001")}, "total"),
    ],
)
def test_what_cannot_be_booked_is_refused_with_its_reason(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    target = JournalTarget(tmp_path / "books")
    good, bad = plain(Kind.SALES_INVOICE, 2), replace(plain(Kind.SALES_INVOICE, 1), **changes)
    outcomes = push_all(target, postings([bad, good]))
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].problem.field == field
    assert outcomes[0].problem.fix
    assert isinstance(outcomes[1], Done)
    assert len(read(tmp_path / "books").transactions) == 1


def test_an_external_reference_with_control_characters_is_refused_not_confused(tmp_path: Path) -> None:
    target = JournalTarget(tmp_path / "books")
    posts = [Posting(plain(Kind.SALES_INVOICE, at), name) for at, name in enumerate(["a\ufffd", "a\x00", ""])]
    outcomes = push_all(target, posts)
    assert [type(outcome) for outcome in outcomes] == [Done, Refused, Refused]
    assert target.look_up([LookUp(Kind.SALES_INVOICE, external_reference="a\x00")]) == [[]]


def test_new_books_take_their_home_currency_from_the_first_documents(tmp_path: Path) -> None:
    target = JournalTarget(tmp_path / "books")
    assert target.company().currency == ""
    push_all(target, postings([plain(Kind.TIME_RECORD, 1)]))
    push_all(
        target, postings([plain(Kind.SALES_INVOICE, at, currency="USD" if at < 3 else "GBP") for at in range(4)], 1)
    )
    push_all(target, postings([plain(Kind.SALES_INVOICE, 9, currency="JPY")], 9))
    assert target.company().currency == "USD"
    assert (tmp_path / "books" / "main.beancount").read_text().count("operating_currency") == 1
    assert read(tmp_path / "books").errors == []


def test_the_currency_of_the_settings_goes_before(tmp_path: Path) -> None:
    target = JournalTarget(tmp_path / "books", "EUR")
    assert target.company().currency == "EUR"
    push_all(target, postings([plain(Kind.SALES_INVOICE, 1, currency="USD")]))
    assert target.company().currency == "EUR"
