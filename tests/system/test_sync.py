"""One run, from outside: what it prints, what it books, and that the second books nothing."""

import subprocess
from collections.abc import Callable
from decimal import Decimal

from connector_service.domain.kinds import State
from tests.system.conftest import Commands
from tests.system.shop import Shop

REPORT = {"route", "run", "mode", "dry_run", "started", "seconds", "counts", "totals", "documents", "issues"}
DOCUMENT = {
    *("id", "kind", "key", "number", "date", "party", "currency", "total", "state", "status_code", "problems"),
    *("message", "remote_id", "flags"),
}


def balance(connector: Commands, account: str) -> Decimal:
    """What an account of the books stands at, in euro."""
    items = connector.json("books", "balances", "main")["items"]
    return sum((Decimal(one["balance"]) for one in items if one["account"] == account), Decimal(0))


def test_first_sync_books_all_and_second_nothing(connector: Commands, shop: Shop) -> None:
    first = connector("sync", "main", "--json")
    report = first.json
    assert first.status == 0
    assert report.keys() == REPORT
    assert (report["route"], report["mode"], report["dry_run"]) == ("main", "manual", False)
    assert report["counts"].keys() == {"read", "unchanged", *State}
    assert (report["counts"]["read"], report["counts"]["exported"]) == (5, 5)
    assert report["totals"]["sales_invoice"]["EUR"] == {"source": "363.00", "exported": "363.00"}
    assert report["totals"]["vendor_bill"]["EUR"] == {"source": "50.00", "exported": "50.00"}
    assert {one["state"] for one in report["documents"]} == {"exported"}
    invoice = next(one for one in report["documents"] if one["key"] == "INV-001")
    assert invoice.keys() == DOCUMENT
    assert (invoice["total"], invoice["party"], invoice["date"]) == ("121.00", "Acme BV", "2026-03-10")
    assert invoice["remote_id"]
    assert balance(connector, "Assets:Receivable:C1") == Decimal("363.00")

    second = connector.json("sync", "main")
    assert second["counts"]["exported"] == 0
    assert second["documents"] == []
    assert balance(connector, "Assets:Receivable:C1") == Decimal("363.00")


def test_states_add_up_to_what_was_read_and_changed(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    shop.add_invoice("INV-900", changed="2026-03-11 12:00:00")
    shop.add_invoice("INV-901", total="999.00", changed="2026-03-11 12:00:00")
    counts = connector.json("sync", "main")["counts"]
    assert (counts["exported"], counts["held"]) == (1, 1)
    assert sum(counts[state] for state in State) == counts["read"] - counts["unchanged"]


def test_sentences_say_numbers_amounts_causes_and_what_to_press(connector: Commands, shop: Shop) -> None:
    shop.add_invoice("INV-BAD", total="999.00")
    shop.add_entry(30, approved=0)
    answer = connector("sync", "main")
    assert answer.status == 1
    assert answer.out.startswith(
        "5 of 7 exported, 2 held. EUR 413.00 of EUR 1,412.00, 1 h 30 min of 2 h 00 min of time.\n"
    )
    assert "1 document held (TOTAL_MISMATCH)" in answer.out
    assert "The total of sales invoice INV-BAD does not fit its lines." in answer.out
    assert "add up to 121.00" in answer.out
    assert "Press: connector sync main" in answer.out
    assert "1 document held (NOT_APPROVED)" in answer.out


def test_nothing_new_is_said_so(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    answer = connector("sync", "main")
    assert (answer.status, answer.out.startswith("Nothing to do:")) == (0, True)


def test_held_documents_have_codes_and_go_out_once_they_are_right(connector: Commands, shop: Shop) -> None:
    shop.set("[routes.main.sync]", "[routes.main.options]\nrequire_sent = true\n\n[routes.main.sync]")
    shop.add_invoice("INV-BAD", total="999.00")
    shop.add_invoice("INV-UNSENT", sent=0)
    report = connector.json("sync", "main")
    held = {one["key"]: one for one in report["documents"] if one["state"] == "held"}
    assert {key: one["status_code"] for key, one in held.items()} == {
        "INV-BAD": "TOTAL_MISMATCH",
        "INV-UNSENT": "NOT_SENT",
    }
    assert all(part in held["INV-BAD"]["problems"][0] for part in ("code", "what", "why", "fix"))
    shop.execute("update invoice set total = '121.00', changed = '2026-03-11 09:00:00' where number = 'INV-BAD'")
    again = connector.json("sync", "main")
    assert {one["key"]: one["state"] for one in again["documents"]} == {"INV-BAD": "exported", "INV-UNSENT": "held"}


def test_dry_run_has_the_same_shape_does_nothing_and_is_what_the_run_does(connector: Commands, shop: Shop) -> None:
    shop.add_invoice("INV-BAD", total="999.00")
    shop.add_invoice("INV-OLD", exported=1)
    before = sorted(path.name for path in shop.home.iterdir())
    answer = connector("sync", "main", "--dry-run", "--json")
    plan = answer.json
    assert answer.status == 1
    assert plan.keys() == REPORT
    assert (plan["dry_run"], plan["run"]) == (True, None)
    assert sorted(path.name for path in shop.home.iterdir()) == before
    actions = {one["key"]: one["action"] for one in plan["documents"] if one["kind"] == "sales_invoice"}
    assert actions == {
        "INV-001": "push",
        "INV-002": "push",
        "INV-003": "push",
        "INV-BAD": "hold",
        "INV-OLD": "mark",
    }
    becomes = {"push": "exported", "hold": "held", "mark": "marked"}
    planned = {(one["kind"], one["key"]): becomes[one["action"]] for one in plan["documents"]}
    done = {(one["kind"], one["key"]): one["state"] for one in connector.json("sync", "main")["documents"]}
    assert planned == done
    second = connector("sync", "main", "--dry-run")
    assert "0 of 1 would be exported, 1 held." in second.out


def test_kinds_and_dates_narrow_a_run(connector: Commands, shop: Shop) -> None:
    shop.add_bill("B-99", day="2026-04-01")
    report = connector.json("sync", "main", "--kind", "vendor_bill", "--from", "2026-03-01", "--to", "2026-03-31")
    assert [(one["kind"], one["number"]) for one in report["documents"]] == [("vendor_bill", "B-77")]
    rest = connector.json("sync", "main")
    assert len(rest["documents"]) == 5


def test_status_tells_the_last_run(connector: Commands, shop: Shop) -> None:
    before = connector.json("status")
    assert before["service"].keys() == {"running", "version", "pid"}
    assert before["routes"][0]["last_run"] is None
    connector("sync", "main")
    route = connector.json("status")["routes"][0]
    assert route.keys() == {
        *("route", "mode", "running", "connected", "company", "last_run", "next_run", "counts", "issues"),
    }
    assert route["last_run"].keys() == {"run", "started", "ended", "exit"}
    assert (route["connected"], route["counts"]["exported"], route["issues"]) == (True, 5, 0)
    assert connector("status").out.count("5 exported") == 1


def test_status_is_quick_and_loads_no_library_of_a_run(
    start: Callable[..., "subprocess.Popen[bytes]"], connector: Commands, shop: Shop
) -> None:
    connector("sync", "main")
    _, err = start("status", PYTHONPROFILEIMPORTTIME="1").communicate(timeout=60)
    loaded = {
        line.rpartition(b"|")[2].strip().decode() for line in err.splitlines() if line.startswith(b"import time:")
    }
    assert "connector_service.wiring.state" in loaded
    assert not loaded & {"peewee", "rich", "sqlalchemy", "apscheduler", "loguru", "lxml", "keyring", "tomlkit"}


def test_the_second_run_of_many_documents_streams_them_in_pages(connector: Commands, shop: Shop) -> None:
    shop.execute(
        "with n(i) as (select 1 union all select i + 1 from n where i < 1200)"
        " insert into bill (number, day, supplier, total, changed)"
        " select 'N' || i, '2026-03-11', 'X', '1.00', '2026-03-11 10:00:00' from n"
    )
    report = connector.json("sync", "main", "--kind", "vendor_bill")
    assert len({one["id"] for one in report["documents"]}) == 1201
    assert report["totals"]["vendor_bill"]["EUR"]["exported"] == "1250.00"
