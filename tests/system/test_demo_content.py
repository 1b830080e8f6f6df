"""What the demo is made of, and that the books hold it to the cent."""

import json
import re
import shutil
import subprocess
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Transaction
from lxml import etree

from connector_service.demo.place import INBOX, SETTINGS_TEXT
from tests.system.demo import BEGIN, TABLES, UBL, documents, once, query, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A demo that has synced once, and its report."""
    home = tmp_path_factory.mktemp("demo") / "home"
    return home, once(home)


def test_shop_is_large_and_varied(made: tuple[Path, dict[str, Any]]) -> None:
    home, _ = made
    counts = {kind: query(home, f"select count(*) from {table}")[0][0] for kind, (table, _) in TABLES.items()}
    assert sum(counts.values()) >= 300
    assert min(counts.values()) >= 20
    assert counts["time_record"] == 60
    for table, day in TABLES.values():
        years = {row[0] for row in query(home, f"select distinct substr({day}, 1, 4) from {table}")}
        assert years == {"2024", "2025"}
    assert {row[0] for row in query(home, "select distinct Currency from Invoice")} >= {
        "EUR",
        "GBP",
        "JPY",
        "USD",
        "KWD",
    }
    assert query(home, "select count(*) from Invoice where Currency <> 'EUR' and Rate is null")[0][0] == 0
    for column in ("Discount", "Freight", "TaxIncluded", "Rounding"):
        assert query(home, f"select count(*) from Invoice where {column} <> 0")[0][0] > 3
    assert query(home, "select count(*) from TimeEntry where Overtime = 1")[0][0] > 3
    assert query(home, "select count(*) from TimeEntry where substr(EndAt, 1, 10) > substr(StartAt, 1, 10)")[0][0] > 3
    found = [row[0] for row in query(home, "select Name from Customer union all select Name from Supplier")]
    names = " ".join(found)
    for hard in ('"', "'", "&", "=SUM(", "<b>", "\\", ";", "🚲", "株", "ش", "ח", "Ł"):
        assert hard in names
    assert max(map(len, found)) > 90


def test_about_half_is_marked_and_three_are_held(made: tuple[Path, dict[str, Any]]) -> None:
    home, report = made
    counts = report["counts"]
    shop = {one["route"]: one for one in report["routes"]}["shop"]
    assert 0.4 < counts["marked"] / shop["counts"]["read"] < 0.6
    for table, day in TABLES.values():
        early = query(home, f"select count(*) from {table} where {day} < '{BEGIN}' and Exported = 1")[0][0]
        assert early == 0, "older records are marked here, and left as they are in the shop"
    held = list(documents(report, "held"))
    assert len(held) == counts["held"] == 3
    assert {one["status_code"] for one in held} == {"TOTAL_MISMATCH", "NOT_APPROVED", "NUMBER_EXISTS"}
    assert all(one["message"] and one["problems"][0]["fix"] for one in held)
    states = {state: count for state, count in counts.items() if state not in ("read", "unchanged")}
    assert sum(states.values()) == counts["read"] - counts["unchanged"]
    assert states["exported"] + states["held"] + states["marked"] == counts["read"]
    assert {one["kind"] for one in documents(report, "exported")} == set(TABLES)


def test_books_hold_what_the_sources_have_to_the_cent(made: tuple[Path, dict[str, Any]]) -> None:
    home, report = made
    expected: Counter[tuple[str, str]] = Counter()
    skipped = {one["key"] for one in documents(report, "held")}
    for kind, (table, day) in TABLES.items():
        if kind == "time_record":
            continue
        key = query(home, f"pragma table_info({table})")[0][1]
        for name, currency, total in query(
            home, f"select {key}, Currency, Total from {table} where {day} >= '{BEGIN}'"
        ):
            if name not in skipped:
                expected[kind, currency] += Decimal(str(total))  # type: ignore[assignment]
    for file, (kind, currency, total) in einvoices(home).items():
        if not file.startswith(("copy-of", "Fwd")):
            expected[kind, currency] += total  # type: ignore[assignment]
    entries, faults, _ = loader.load_file(str(home / "books" / "main.beancount"))
    assert not faults
    found: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if isinstance(entry, Transaction) and entry.meta["kind"] != "time_record":
            party = entry.postings[0]
            assert party.units is not None
            assert party.units.number is not None
            assert party.account.startswith(("Assets:Receivable:", "Liabilities:Payable:"))
            found[entry.meta["kind"], party.units.currency] += abs(party.units.number)  # type: ignore[assignment]
    assert {key: total for key, total in found.items() if total} == {key: +total for key, total in expected.items()}


def einvoices(home: Path) -> dict[str, tuple[str, str, Decimal]]:
    """Kind, currency and total of the files that were taken, read by XPath."""
    own = re.search(r'party_id = "(\w+)"', SETTINGS_TEXT)
    assert own
    found = {}
    for file in (home / INBOX / "done").rglob("*.xml"):
        root = etree.parse(str(file)).getroot()
        seller = root.findtext("cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID", "", UBL)
        credit = "CreditNote" in root.tag
        kind = ("sales_credit_note" if credit else "sales_invoice") if seller == own[1] else "vendor_bill"
        total = root.find("cac:LegalMonetaryTotal/cbc:PayableAmount", UBL)
        assert total is not None
        found[file.name] = (kind, total.get("currencyID") or "", Decimal(total.text or ""))
    return found


def test_ten_einvoices_of_which_one_came_twice(made: tuple[Path, dict[str, Any]]) -> None:
    home, report = made
    files = list((home / INBOX / "done").rglob("*.xml"))
    assert len(files) == 10
    assert len({file.read_bytes() for file in files}) == 10
    numbers = Counter(etree.parse(str(file)).getroot().findtext("cbc:ID", "", UBL) for file in files)
    assert sorted(numbers.values()) == [1] * 8 + [2]
    inbox = {one["route"]: one for one in report["routes"]}["inbox"]
    assert inbox["counts"]["read"] == 9
    kinds = Counter(one["kind"] for one in inbox["documents"])
    assert kinds["sales_credit_note"] == 1
    assert kinds["vendor_bill"] >= 3
    assert kinds["sales_invoice"] >= 3
    assert not list((home / INBOX / "rejected").glob("*")) if (home / INBOX / "rejected").exists() else True


def test_einvoices_have_the_form_of_peppol(made: tuple[Path, dict[str, Any]], shared: Path) -> None:
    """Each element stands where the samples of Peppol have it, and the sums of EN 16931 hold."""
    home, _ = made
    order = _order_of_samples(shared / "samples" / "peppol-bis-billing-3")
    for file in (home / INBOX / "done").rglob("*.xml"):
        root = etree.parse(str(file)).getroot()
        for element in root.iter():
            names = [etree.QName(child).localname for child in element]
            known: set[tuple[str, str]] = order.get(etree.QName(element).localname, set())
            for before, after in pairwise(names):
                assert (after, before) not in known or (before, after) in known, f"{file.name}: {after} after {before}"

        def amount(path: str, root: etree._Element = root) -> Decimal:
            return Decimal(root.findtext(path, "0", UBL))

        def amounts(path: str, root: etree._Element = root) -> Decimal:
            return sum((Decimal(one.text or "") for one in root.iterfind(path, UBL)), Decimal(0))

        line = "CreditNoteLine" if "CreditNote" in root.tag else "InvoiceLine"
        totals = "cac:LegalMonetaryTotal/cbc:"
        assert amounts(f"cac:{line}/cbc:LineExtensionAmount") == amount(f"{totals}LineExtensionAmount")  # BR-CO-10
        assert amount(f"{totals}TaxExclusiveAmount") == (  # BR-CO-13
            amount(f"{totals}LineExtensionAmount")
            - amount(f"{totals}AllowanceTotalAmount")
            + amount(f"{totals}ChargeTotalAmount")
        )
        tax = amount("cac:TaxTotal/cbc:TaxAmount")
        assert amounts("cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount") == tax  # BR-CO-14
        assert amount(f"{totals}TaxExclusiveAmount") + tax == amount(f"{totals}PayableAmount")  # BR-CO-15, 16
        for part in root.iterfind("cac:TaxTotal/cac:TaxSubtotal", UBL):  # BR-CO-17
            basis, percent = (
                Decimal(part.findtext(path, "0", UBL)) for path in ("cbc:TaxableAmount", ".//cbc:Percent")
            )
            assert abs(basis * percent / 100 - Decimal(part.findtext("cbc:TaxAmount", "0", UBL))) <= Decimal("0.005")


def _order_of_samples(folder: Path) -> dict[str, set[tuple[str, str]]]:
    order: dict[str, set[tuple[str, str]]] = {}
    for file in folder.glob("*.xml"):
        for element in etree.parse(str(file)).getroot().iter(tag=etree.Element):
            names = [etree.QName(child).localname for child in element if isinstance(child.tag, str)]
            pairs = order.setdefault(etree.QName(element).localname, set())
            pairs |= {(a, b) for at, a in enumerate(names) for b in names[at + 1 :] if a != b}
    assert order
    return order


def test_nights_over_the_change_of_the_clock(made: tuple[Path, dict[str, Any]]) -> None:
    _, report = made
    minutes = {(one["date"], one["key"]): one["minutes"] for one in documents(report) if one["kind"] == "time_record"}
    # 22:00 to 06:00 with half an hour's break is 7.5 hours; an hour less in spring, an hour more in autumn.
    by_key = {key: (day, count) for (day, key), count in minutes.items()}
    assert by_key["T-0038"] == ("2025-03-29", 390)
    assert by_key["T-0054"] == ("2025-10-25", 510)


@pytest.mark.skipif(not shutil.which("hledger"), reason="hledger is not installed")
def test_hledger_reads_the_same(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home, _ = made
    file = tmp_path / "books.journal"
    assert run("books", "export", "shop", str(file), home=home).returncode == 0
    told = subprocess.run(
        ["hledger", "-f", str(file), "balance", "--flat", "--empty", "--no-total", "-O", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = {
        (row[0], amount["acommodity"]): Decimal(amount["aquantity"]["decimalMantissa"]).scaleb(
            -amount["aquantity"]["decimalPlaces"]
        )
        for row in json.loads(told.stdout)[0]
        for amount in row[3]
    }
    items = json.loads(run("books", "balances", "shop", "--json", home=home).stdout)["items"]
    ours = {(one["account"], one["currency"]): Decimal(one["balance"]) for one in items}
    assert {key: value for key, value in ours.items() if value} == {
        key: value for key, value in theirs.items() if value
    }
