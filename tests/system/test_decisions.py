"""What a person decides: begin date, start and stop, documents, issues, undo."""

from typing import Any

from connector_service.domain.kinds import State
from tests.system.conftest import Commands
from tests.system.shop import Shop


def states(connector: Commands) -> dict[str, str]:
    """The state of each document, by its number or key."""
    items = connector.json("documents", "main", "--limit", "1000")["items"]
    return {one["number"] or one["key"]: one["state"] for one in items}


def number_of(connector: Commands, key: str) -> str:
    """The number in the list of the document with this key."""
    items = connector.json("documents", "--search", key)["items"]
    return str(next(one["id"] for one in items if one["key"] == key))


# -- begin date -------------------------------------------------------------------------------------------------------


def test_begin_shows_first_and_does_nothing_without_yes(connector: Commands, shop: Shop) -> None:
    shop.add_invoice("INV-OLD", day="2025-12-31", currency="USD", total="11.00")
    before = shop.settings.read_bytes()
    answer = connector("begin", "main", "2026-03-11")
    assert answer.status == 1
    assert "4 records dated before it would be marked" in answer.out
    assert "4 sales invoices: EUR 363.00, USD 11.00" in answer.out
    shown = connector("begin", "main", "2026-03-11", "--json")
    assert shown.status == 1
    assert shown.json["applied"] is False
    assert shown.json["would_mark"] == {
        "count": 4,
        "kinds": {"sales_invoice": {"count": 4, "totals": {"EUR": "363.00", "USD": "11.00"}}},
    }
    assert shop.settings.read_bytes() == before
    assert connector.json("sync", "main", "--dry-run")["counts"]["marked"] == 0


def test_begin_marks_and_the_rest_is_booked(connector: Commands, shop: Shop) -> None:
    shop.set("[service]", "# a remark that stays\n[service]")
    done = connector.json("begin", "main", "2026-03-11", "--yes")
    assert (done["applied"], done["marked"], done["released"], done["marked_at_source"]) == (True, 3, 0, 0)
    text = shop.settings.read_text(encoding="utf-8")
    assert "begin = 2026-03-11" in text
    assert "# a remark that stays" in text
    report = connector.json("sync", "main")
    assert (report["counts"]["exported"], report["counts"]["marked"]) == (2, 0)
    assert connector.json("status")["routes"][0]["counts"]["marked"] == 3
    shop.add_invoice("INV-LATE", changed="2026-03-20 10:00:00")
    late = connector.json("sync", "main")["documents"]
    assert [(one["key"], one["status_code"]) for one in late] == [("INV-LATE", "DATED_BEFORE_BEGIN")]


def test_moving_begin_back_releases_only_when_told(connector: Commands, shop: Shop) -> None:
    connector("begin", "main", "2026-03-11", "--yes")
    connector("sync", "main")
    back = connector.json("begin", "main", "2026-03-01", "--yes")
    assert (back["marked"], back["released"]) == (0, 0)
    assert connector.json("sync", "main")["counts"]["exported"] == 0
    connector("begin", "main", "2026-03-11", "--yes")
    assert connector.json("begin", "main", "2026-03-01", "--release")["would_release"] == 3
    assert connector.json("begin", "main", "2026-03-01", "--yes")["released"] == 0
    assert connector.json("begin", "main", "2026-03-01", "--release", "--yes")["released"] == 3, "told afterwards"
    assert connector.json("sync", "main")["counts"]["exported"] == 3


def test_begin_marks_at_the_source_where_that_can_be_done(connector: Commands, shop: Shop) -> None:
    done = connector.json("begin", "main", "2026-03-11", "--mark-source", "--yes")
    assert done["marked_at_source"] == 3
    assert shop.execute("select sum(exported) from invoice") == [(3,)]
    shop.set('items = ["sales_invoice", "vendor_bill", "time_record"]', 'items = ["vendor_bill"]')
    refused = connector("begin", "main", "2026-03-12", "--mark-source", "--yes", "--json")
    assert (refused.status, refused.json["error"]["code"]) == (2, "NOT_POSSIBLE_HERE")
    assert "begin = 2026-03-11" in shop.settings.read_text(encoding="utf-8")


# -- start and stop ---------------------------------------------------------------------------------------------------


def test_stop_holds_before_the_first_run_and_over_others_and_leaves_sync_allowed(
    connector: Commands, shop: Shop
) -> None:
    def running() -> bool:
        value: bool = connector.json("status")["routes"][0]["running"]
        return value

    assert running()
    assert connector.json("stop", "main")["routes"][0]["running"] is False
    assert connector("sync", "main").status == 0
    assert not running()
    assert connector("start", "--all").status == 0
    assert running()
    events = [one["event"] for one in connector.json("audit", "show", "--oldest-first")["items"]]
    assert events.index("route_stopped") < events.index("route_opened") < events.index("route_started")


# -- documents --------------------------------------------------------------------------------------------------------


def test_documents_are_filtered_and_paged(connector: Commands, shop: Shop) -> None:
    assert "No document is here." in connector("documents").out
    shop.add_invoice("INV-BAD", total="999.00")
    connector("sync", "main")
    held = connector.json("documents", "--state", "held", "--code", "TOTAL_MISMATCH")
    assert [one["key"] for one in held["items"]] == ["INV-BAD"]
    assert held["next"] is None
    keys: list[str] = []
    after = "0"
    while after:
        page = connector.json("documents", "main", "--kind", "sales_invoice", "--limit", "3", "--after", after)
        assert len(page["items"]) <= 3
        keys += [one["key"] for one in page["items"]]
        after = page["next"] or ""
    assert keys == ["INV-001", "INV-002", "INV-003", "INV-BAD"]
    dated = connector.json("documents", "--from", "2026-03-11", "--to", "2026-03-11")["items"]
    assert [one["number"] for one in dated] == ["B-77"]
    table = connector("documents").out
    assert "INV-BAD" in table
    assert "EUR 999.00" in table
    assert "TOTAL_MISMATCH" in table


def test_show_has_content_problems_and_history(connector: Commands, shop: Shop) -> None:
    shop.add_invoice("INV-BAD", total="999.00")
    connector("sync", "main")
    number = number_of(connector, "INV-BAD")
    shown = connector.json("documents", "show", number)
    assert (shown["state"], shown["route"]) == ("held", "main")
    assert [line["amount"] for line in shown["content"]["lines"]] == ["60.00", "40.00"]
    assert [one["after"] for one in shown["history"]] == ["waiting", "held"]
    text = connector("documents", "show", number).out
    assert "does not fit its lines" in text
    assert "Milling" in text
    assert "total: 999.00" in text
    assert "sent to the customer: yes" in text


def test_a_person_leaves_out_marks_and_tries_again(connector: Commands, shop: Shop) -> None:
    shop.add_invoice("INV-A", total="999.00")
    shop.add_invoice("INV-B", total="999.00")
    connector("sync", "main")
    first, second = number_of(connector, "INV-A"), number_of(connector, "INV-B")
    assert connector.json("documents", "ignore", first)["state"] == "ignored"
    both = connector.json("documents", "retry", first, second)["items"]
    assert [one["state"] for one in both] == ["waiting", "waiting"]
    assert connector.json("documents", "mark", second)["state"] == "marked"
    shop.execute("update invoice set total = '121.00', changed = '2026-03-12 10:00:00' where number = 'INV-A'")
    connector("sync", "main")
    assert {key: states(connector)[key] for key in ("INV-A", "INV-B")} == {"INV-A": "exported", "INV-B": "marked"}
    refused = connector("documents", "ignore", first, "--json")
    assert (refused.status, refused.json["error"]["code"]) == (2, "NOT_POSSIBLE_NOW")


def test_mark_sent_lets_a_document_go(connector: Commands, shop: Shop) -> None:
    shop.set("[routes.main.sync]", "[routes.main.options]\nrequire_sent = true\n\n[routes.main.sync]")
    shop.add_invoice("INV-U", sent=0)
    connector("sync", "main")
    number = number_of(connector, "INV-U")
    assert f"Press: connector documents mark-sent {number}" in connector("documents", "show", number).out
    assert connector("documents", "mark-sent", number).status == 0
    connector("sync", "main")
    assert states(connector)["INV-U"] == "exported"


def test_undo_says_first_and_voids_in_the_books(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    number = number_of(connector, "INV-002")

    def receivable() -> str:
        items = connector.json("books", "balances", "main")["items"]
        return str(next(one["balance"] for one in items if one["account"] == "Assets:Receivable:C1"))

    asked = connector("documents", "undo", number)
    assert asked.status == 1
    assert "sales invoice INV-002, Acme BV, EUR 121.00" in asked.out
    assert receivable() == "363.00"
    assert connector.json("documents", "undo", number, "--yes")["state"] == "undone"
    assert receivable() == "242.00"
    assert connector("documents", "undo", number, "--yes").status == 2


def test_a_change_after_export_waits_for_a_person(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    shop.execute("update invoice set day = '2026-03-15', changed = '2026-03-15 10:00:00' where number = 'INV-001'")
    answer = connector("sync", "main")
    assert answer.status == 1
    assert "INV-001 was changed at the source after it was exported" in answer.out
    number = number_of(connector, "INV-001")
    assert f"Press: connector documents accept {number}" in answer.out
    assert connector.json("documents", "accept", number)["state"] == State.EXPORTED
    assert connector("sync", "main").status == 0


# -- issues and links -------------------------------------------------------------------------------------------------


def test_brake_stops_until_a_person_confirms(connector: Commands, shop: Shop) -> None:
    shop.set("[routes.main.sync]", "[routes.main.options]\nmax_new_per_run = 2\n\n[routes.main.sync]")
    plan = connector("sync", "main", "--dry-run", "--json")
    assert plan.status == 1
    assert [one["code"] for one in plan.json["issues"]] == ["TOO_MANY_NEW"]
    stopped = connector("sync", "main", "--json")
    assert stopped.status == 1
    assert stopped.json["documents"] == []
    assert stopped.json["error"]["code"] == "TOO_MANY_NEW"
    issue: dict[str, Any] = connector.json("issues")["items"][0]
    assert (issue["code"], issue["confirmable"], issue["route"]) == ("TOO_MANY_NEW", True, "main")
    # The number of the issue to confirm stands in what the run itself says, in its record too.
    assert f"connector issues confirm {issue['id']}`" in stopped.json["error"]["fix"] == issue["fix"]
    assert "{issue}" not in stopped.out + stopped.err
    assert f"connector issues confirm {issue['id']}" in connector("issues").out
    assert connector.json("issues", "show", str(issue["id"]))["closed"] is None
    assert connector.json("issues", "confirm", str(issue["id"]))["confirmed"] is True
    assert connector.json("issues")["items"] == []
    assert connector.json("issues", "--all")["items"][0]["id"] == issue["id"]
    assert connector.json("sync", "main")["counts"]["exported"] == 5
    assert connector("issues", "confirm", str(issue["id"])).status == 2


def test_source_that_suddenly_has_nothing_is_an_issue(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    shop.execute("delete from invoice")
    assert connector.json("sync", "main")["error"]["code"] == "SOURCE_EMPTY"


def test_links_are_set_removed_and_travel_as_csv(connector: Commands, shop: Shop) -> None:
    assert connector("links", "set", "main", "customer", "C1", "X-9", "--target-name", "=Acme").status == 0
    csv = (
        b"kind,source_key,target_id,source_name,target_name\n"
        b'account,8000,4711,"Sales, home",\n'
        b'customer,C1,X-10,,"=Acme"\n'
    )
    assert connector.json("links", "import", "main", "-", given=csv) == {"route": "main", "read": 2, "changed": 2}
    items = connector.json("links", "main")["items"]
    assert [(one["kind"], one["source_key"], one["target_id"], one["by_person"]) for one in items] == [
        ("account", "8000", "4711", True),
        ("customer", "C1", "X-10", True),
    ]
    file = shop.home / "links.csv"
    assert connector("links", "export", "main", str(file)).status == 0
    assert connector.json("links", "main", "import", str(file))["changed"] == 0
    assert connector("links", "export", "main").out.encode() == file.read_bytes()
    assert connector("links", "remove", "main", "customer", "C1").status == 0
    assert len(connector.json("links", "main")["items"]) == 1


def test_links_with_faults_are_not_taken_at_all(connector: Commands, shop: Shop) -> None:
    csv = b"kind,source_key,target_id\ncustomer,C1,X\nwhatever,1,2\nitem,,3\nitem,A\ncustomer,C1,Y\n"
    answer = connector("links", "import", "main", "-", "--json", given=csv)
    assert answer.status == 2
    fault = answer.json["error"]
    assert fault["code"] == "LINKS_WRONG"
    assert [line.split(":")[0] for line in fault["why"].splitlines()] == [
        "- line 3",
        "- line 4",
        "- line 5",
        "- line 6",
    ]
    assert connector.json("links", "main")["items"] == []
    assert "UTF-8" in connector("links", "import", "main", "-", given=b"kind,source_key,target_id\nitem,\xff,1\n").err
    assert "header" in connector("links", "import", "main", "-", given=b"customer,C1,X\n").err
    assert connector("links", "import", "main", str(shop.home / "no.csv")).status == 2


def test_reference_lists_are_pulled_and_shown(connector: Commands, shop: Shop) -> None:
    connector("sync", "main")
    assert "not been pulled" in connector("reference", "show", "main", "account").out
    lists = connector.json("reference", "sync", "main", "customer", "account")["lists"]
    assert [one["kind"] for one in lists] == ["account", "customer"]
    shown = connector.json("reference", "show", "main", "customer")
    assert [(one["code"], one["name"]) for one in shown["items"]] == [("C1", "Acme BV")]
    assert connector("reference", "sync", "main", "item").status == 2
