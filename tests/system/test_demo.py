"""The demo as a user runs it: what it makes, what it says, and that what it says can be typed."""

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from beancount import loader
from beancount.core.data import Transaction
from lxml import etree

from connector_service.demo.place import INBOX, MARKER, SETTINGS_TEXT, SHOP_FILE
from tests.conftest import ROOT

CONNECTOR: Final = [sys.executable, "-m", "connector_service"]
BEGIN: Final = "2025-01-01"
# Head table, its lines, date column, and what the tests call the kind.
TABLES: Final = {
    "sales_invoice": ("Invoice", "InvDate"),
    "sales_credit_note": ("CreditNote", "CreditDate"),
    "vendor_bill": ("Bill", "BillDate"),
    "vendor_credit": ("SupplierCredit", "CreditDate"),
    "time_record": ("TimeEntry", "WorkDate"),
}
UBL: Final = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


def run(*words: str, home: Path | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
    """One command, as typed."""
    where = ["--home", str(home)] if home else []
    return subprocess.run(
        [*CONNECTOR, *words, *where], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, **more
    )


def once(home: Path) -> dict[str, Any]:
    """``connector demo --once --json``, read."""
    done = run("demo", "--once", "--json", home=home)
    assert done.returncode == 1, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A demo that has synced once, and its report."""
    home = tmp_path_factory.mktemp("demo") / "home"
    return home, once(home)


def query(home: Path, statement: str) -> list[tuple[Any, ...]]:
    """Ask the shop."""
    with closing(sqlite3.connect(home / SHOP_FILE)) as shop:
        return shop.execute(statement).fetchall()


def documents(report: dict[str, Any], state: str = "") -> Iterator[dict[str, Any]]:
    """All documents of both routes."""
    for route in report["routes"]:
        yield from (one for one in route["documents"] if state in ("", one["state"]))


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


def test_shop_and_books_reconcile(made: tuple[Path, dict[str, Any]]) -> None:
    """Two routes book into one company: what the other one has put there is no difference."""
    home, report = made
    done = run("reconcile", "shop", "--from", BEGIN, "--to", "2025-12-31", "--json", home=home)
    found = json.loads(done.stdout)
    held = {one["key"] for one in documents(report, "held") if one["status_code"] != "NUMBER_EXISTS"}
    assert {one["key"] for one in found["differences"]} == held
    assert found["by_others"] == 8
    assert found["equal"] == 178


def test_second_time_nothing_new_is_exported(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made[0], home)
    before = {file: file.read_bytes() for file in (home / "books").glob("*.beancount")}
    report = once(home)
    assert report["counts"]["exported"] == 0
    assert report["counts"]["held"] == 3
    assert {file: file.read_bytes() for file in (home / "books").glob("*.beancount")} == before


def test_nights_over_the_change_of_the_clock(made: tuple[Path, dict[str, Any]]) -> None:
    _, report = made
    minutes = {(one["date"], one["key"]): one["minutes"] for one in documents(report) if one["kind"] == "time_record"}
    # 22:00 to 06:00 with half an hour's break is 7.5 hours; an hour less in spring, an hour more in autumn.
    by_key = {key: (day, count) for (day, key), count in minutes.items()}
    assert by_key["T-0038"] == ("2025-03-29", 390)
    assert by_key["T-0054"] == ("2025-10-25", 510)


def test_it_is_the_same_each_time(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    again = tmp_path / "again"
    report = once(again)
    for statement in (
        f"select * from {table} order by 1, 2"
        for (table,) in query(again, "select name from sqlite_master where type = 'table'")
    ):
        assert query(again, statement) == query(made[0], statement)
    assert report["counts"] == made[1]["counts"]


def test_what_it_says_can_be_typed(tmp_path: Path) -> None:
    """Every command beside a held document is run as it stands; after that nothing waits any more."""
    home = tmp_path / "a demo & its home"
    done = run("demo", "--once", home=home)
    assert done.returncode == 1
    assert "178 of 180 exported, 2 held" in done.stdout
    assert "fava" in done.stdout
    typed = re.findall(r"^    (?:In the shop|Then|Press): +(.+)$", done.stdout, re.MULTILINE)
    assert len(typed) == 5
    for command in typed:
        assert subprocess.run(_here(command), cwd=ROOT, capture_output=True, text=True, check=False).returncode in (
            0,
            1,
        )
    waiting = json.loads(run("documents", "--state", "held", "--json", home=home).stdout)
    assert waiting["items"] == []
    again = run("demo", "--once", home=home)
    assert again.returncode == 0, again.stdout
    assert "Nothing new to export" in again.stdout


def _here(command: str) -> list[str]:
    """A command of the demo as this test can run it: its own Python for the installed program."""
    words = [str(Path(word).expanduser()) if word.startswith("~") else word for word in shlex.split(command)]
    return [*CONNECTOR, *words[1:]] if Path(words[0]).name == "connector" else words


def test_change_after_export_is_told_and_not_booked(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made[0], home)
    said = run("demo", "--once", home=home).stdout
    change = re.search(r"^ +(\S+ .*update Invoice set Note.*)$", said, re.MULTILINE)
    assert change
    assert subprocess.run(_here(change[1]), cwd=ROOT, check=False).returncode == 0
    report = json.loads(run("sync", "shop", "--json", home=home).stdout)
    assert [one["status_code"] for one in report["documents"] if one["state"] == "drifted"] == ["CHANGED_AT_SOURCE"]
    assert report["counts"]["exported"] == 0


def test_a_folder_that_is_not_a_demo_is_left_alone(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "connector.toml").write_text("# mine\n")
    done = run("demo", "--once", "--json", home=real)
    assert done.returncode == 2
    assert "is not the demo's" in json.loads(done.stdout)["error"]["what"]
    assert [file.name for file in real.iterdir()] == ["connector.toml"]
    assert (real / "connector.toml").read_text() == "# mine\n"
    file = tmp_path / "file"
    file.write_text("x")
    assert run("demo", "--once", home=file).returncode == 2
    assert file.read_text() == "x"


def test_the_folder_of_real_work_is_passed_by(tmp_path: Path) -> None:
    real, own = tmp_path / "real", tmp_path / "user"
    real.mkdir()
    environment = {**os.environ, "CONNECTOR_HOME": str(real), "HOME": str(own), "XDG_DATA_HOME": str(own / "share")}
    done = run("demo", "--once", env=environment)
    assert done.returncode == 1, done.stderr
    assert not list(real.iterdir())
    assert (own / "share" / "connector-service-demo" / MARKER).is_file()


def test_a_making_that_was_cut_off_is_made_anew(tmp_path: Path, made: tuple[Path, dict[str, Any]]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(made[0] / MARKER, home)
    (home / ".shop.db.new").write_bytes(b"half")
    assert once(home)["counts"] == made[1]["counts"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--once", "--target", "xero"], "xero"),
        (["--json"], "--once"),
    ],
)
def test_what_it_cannot_do_is_said(words: list[str], what: str, tmp_path: Path) -> None:
    done = run("demo", *words, home=tmp_path / "home")
    assert done.returncode == 2
    assert what in done.stdout + done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of a console are sent otherwise on Windows")
def test_it_stays_and_tells_what_happens_until_ctrl_c(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made[0], home)
    settings = home / "connector.toml"
    settings.write_text(settings.read_text().replace("interval_seconds = 10", "interval_seconds = 1"))
    words = [*CONNECTOR, "demo", "--home", str(home), "--no-browser", "--port", "0"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1, env=_unbuffered()) as process:
        assert process.stdout is not None
        try:
            _until(process.stdout, "Ctrl-C ends the demo")
            with closing(sqlite3.connect(home / SHOP_FILE)) as shop:
                shop.execute("update TimeEntry set Approved = 1 where Approved = 0")
                shop.commit()
            assert "shop: 1 of 2 exported" in _until(process.stdout, "shop:")
            # The folder is free between two runs: a person can press what the demo says.
            held = json.loads(run("documents", "--code", "NUMBER_EXISTS", "--json", home=home).stdout)["items"]
            assert _patiently("documents", "mark", str(held[0]["id"]), home=home) == 0
            process.send_signal(signal.SIGINT)
            _until(process.stdout, "The demo has ended")
            assert process.wait(30) == 130
        finally:
            process.kill()


def _unbuffered() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def _until(lines: Any, text: str) -> str:
    for line in lines:
        if text in line:
            return str(line)
    raise AssertionError(f"the demo ended without saying {text!r}")


def _patiently(*words: str, home: Path) -> int:
    """Run a command, again where a run of the demo has the folder in that moment."""
    for _ in range(20):
        status = run(*words, home=home).returncode
        if status != 4:
            return status
    return 4


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
