"""What can be proved: reconciliation, books, audit trail, backup and restore; and that nothing leaks."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.conftest import Commands
from tests.system.shop import Shop

PERIOD = ("--from", "2026-03-01", "--to", "2026-03-31")
SECRET = "correct-horse-battery-staple"


def test_reconcile_agrees_and_tells_each_difference(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    same = connector("reconcile", "main", *PERIOD, "--json")
    assert same.status == 0
    assert (same.json["agrees"], same.json["compared"], same.json["equal"]) == (True, 5, 5)
    assert same.json["totals"]["sales_invoice"]["EUR"] == {"source": "363.00", "books": "363.00"}
    assert "The books equal the source." in connector("reconcile", "main", *PERIOD).out
    shop.execute("update invoice set total = '122.00' where number = 'INV-001'")
    shop.add_invoice("INV-NEW")
    shop.execute("delete from invoice where number = 'INV-003'")
    other = connector("reconcile", "main", *PERIOD, "--json")
    assert other.status == 1
    found = {(one["finding"], one["number"]) for one in other.json["differences"]}
    assert found == {("total", "INV-001"), ("not_exported", "INV-NEW"), ("extra", "INV-003")}
    people = connector("reconcile", "main", *PERIOD)
    assert people.status == 1
    assert "in the books and not at the source" in people.out


def test_differing_amounts_are_written_as_the_totals_are(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    shop.execute("update invoice set total = '5170.58' where number = 'INV-001'")
    people = connector("reconcile", "main", *PERIOD).out
    (difference,) = [line for line in people.splitlines() if "INV-001" in line]
    assert "5,170.58" in difference
    assert "121.00" in difference
    assert "5170.58" not in people
    found = connector("reconcile", "main", *PERIOD, "--json").json["differences"]
    assert [(one["source"], one["books"]) for one in found] == [("5170.58", "121.00")]


def test_books_are_exported_for_hledger(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    file = shop.home / "books.journal"
    assert connector("books", "export", "main", str(file)).status == 0
    text = file.read_text(encoding="utf-8")
    assert connector("books", "main", "export").out == text
    assert "Income:8000" in text
    assert connector.json("books", "export", "main")["transactions"] == 5
    program = shutil.which("hledger")
    if program is None:
        pytest.skip("hledger is not installed")
    sums = subprocess.run([program, "-f", file, "bal", "Receivable", "-N"], capture_output=True, text=True, check=True)
    assert "363.00 EUR" in sums.stdout


def test_audit_trail_is_shown_by_filters_and_pages(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    every = connector.json("audit", "show", "--oldest-first", "--limit", "1000")
    assert every["next"] is None
    sequences = [one["sequence"] for one in every["items"]]
    assert sequences == list(range(1, len(sequences) + 1))
    one = connector.json("audit", "show", "--kind", "sales_invoice", "--key", "INV-001")["items"]
    assert [line["after"] for line in one] == ["exported", "sending", "waiting"]
    seen: list[int] = []
    after = "0"
    while after:
        page = connector.json("audit", "--limit", "4", *(("--after", after) if after != "0" else ()))
        seen += [line["sequence"] for line in page["items"]]
        after = page["next"] or ""
    assert seen == sequences[::-1]
    assert connector.json("audit", "show", "--to", "2020-01-01")["items"] == []
    assert "Acme" not in connector("audit", "show", "--json", "--limit", "1000").out


def test_audit_verify_names_the_line_that_was_changed(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    assert connector("audit", "verify").status == 0
    assert connector.json("audit", "verify")["ok"] is True
    trail = next((shop.home / "audit").glob("trail-*.jsonl"))
    lines = trail.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"121.00", b"221.00")
    trail.write_bytes(b"".join(lines))
    found = connector("audit", "verify", "--json")
    assert found.status == 1
    assert (found.json["ok"], found.json["file"], found.json["line"]) == (False, trail.name, 3)
    assert connector("audit", "verify").status == 1


def test_audit_export_is_safe_for_a_spreadsheet(connector: Commands, shop: Shop) -> None:
    shop.add_invoice("=1+2")
    connector("sync", "main")
    file = shop.home / "trail.csv"
    assert connector.json("audit", "export", str(file))["lines"] > 5
    text = file.read_text(encoding="utf-8-sig")
    assert '"\'=1+2"' in text
    assert '"=1+2"' not in text


def test_restored_backup_stops_every_route_and_books_nothing_twice(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    copy = Path(connector.json("backup")["file"])
    assert copy.is_file()
    shop.add_invoice("INV-NEW", changed="2026-03-20 10:00:00")
    connector("sync", "main")
    asked = connector("restore", str(copy), "--json")
    assert (asked.status, asked.json["applied"]) == (1, False)
    done = connector("restore", "--yes", "--json")
    assert done.status == 1
    assert done.json["file"] == str(copy)
    assert [one["code"] for one in done.json["issues"]] == ["STORE_BEHIND"]
    assert Path(done.json["kept"]).is_file()
    stopped = connector("sync", "main", "--json")
    assert (stopped.status, stopped.json["error"]["code"]) == (1, "STORE_BEHIND")
    assert connector("sync", "main", "--dry-run").status == 1
    assert connector("issues", "confirm", str(done.json["issues"][0]["id"])).status == 0
    assert connector("sync", "main").status == 0
    assert connector("reconcile", "main", *PERIOD).status == 0
    accounts = connector.json("books", "balances", "main")["items"]
    assert [one["balance"] for one in accounts if "Receivable" in one["account"]] == ["484.00"]
    assert connector("audit", "verify").status == 0


def test_restore_refuses_what_is_no_backup(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    before = connector.json("documents")["items"]
    broken = shop.home / "broken.db"
    broken.write_bytes((shop.home / "state.db").read_bytes()[:5000])
    for file in (shop.home / "shop.db", broken, shop.settings, shop.home / "no.db"):
        assert connector("restore", str(file), "--yes").status == 2
    assert connector.json("documents")["items"] == before


def test_secrets_are_stored_listed_and_never_shown(connector: Commands, shop: Shop) -> None:
    answers = [
        connector("secret", "set", "main", "password", given=f"{SECRET}\n".encode()),
        connector("secret", "list", "main"),
        connector("secret", "list", "main", "--json"),
        connector("sync", "main", "--json"),
        connector("audit", "show", "--json"),
        connector("check", "--json"),
    ]
    assert all(answer.status == 0 for answer in answers)
    assert not any(SECRET in answer.out + answer.err for answer in answers)
    listed = {one["name"]: one for one in answers[2].json["items"]}
    assert (listed["password"]["stored"], listed["username"]["stored"]) == (True, False)
    for file in shop.home.rglob("*"):
        if file.is_file() and file.name != "vault.json":
            assert SECRET.encode() not in file.read_bytes(), file
    assert connector("secret", "remove", "main", "password").status == 0
    assert connector("secret", "remove", "main", "password").status == 2
    events = [(one["event"], one["key"]) for one in connector.json("audit", "show", "--actor", "command line")["items"]]
    assert events == [("secret_removed", "password"), ("secret_set", "password")]


def test_secret_that_nobody_asks_for_or_without_value_is_refused(connector: Commands, shop: Shop) -> None:
    assert connector("secret", "set", "main", "pasword", given=b"x").status == 2
    assert connector("secret", "set", "main", "password").status == 2
    assert connector("secret", "set", "nope", "password", given=b"x").status == 2


def test_systems_are_listed_with_what_they_can_do(connector: Commands, home: Path) -> None:
    items = connector.json("systems")["items"]
    assert {("source", "sql"), ("source", "folder"), ("target", "journal")} <= {
        (one["role"], one["system"]) for one in items
    }
    journal = next(one for one in items if one["system"] == "journal")
    assert (journal["void"], journal["payments"]) == (True, False)
    assert journal["limits"]["batch_size"] > 1
    assert "Embedded books" in connector("systems").out
