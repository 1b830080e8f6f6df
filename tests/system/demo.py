"""What the tests of the demo share: running it as a user does, and asking its shop."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from connector_service.demo.place import SHOP_FILE
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


def query(home: Path, statement: str) -> list[tuple[Any, ...]]:
    """Ask the shop."""
    with closing(sqlite3.connect(home / SHOP_FILE)) as shop:
        return shop.execute(statement).fetchall()


def documents(report: dict[str, Any], state: str = "") -> Iterator[dict[str, Any]]:
    """All documents of both routes."""
    for route in report["routes"]:
        yield from (one for one in route["documents"] if state in ("", one["state"]))
