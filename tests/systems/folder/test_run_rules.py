"""What a route asks of the drop folder beside reading: previews leave all in place, kinds left out are told."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from connector_service.contract.registry import Given, open_source
from connector_service.contract.source import Window
from connector_service.domain.documents import Unreadable
from connector_service.domain.kinds import Kind
from tests.systems.folder.drop import ROOT, Drop, NoVault, one, ubl

GIVEN = Given("main", ROOT, NoVault(), ZoneInfo("UTC"), {}, (ROOT / "config" / "profiles",))


def test_a_preview_reads_everything_and_moves_nothing(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.put("a.xml", ubl("F-1"))
    drop.put("broken.xml", "<Invoice")
    source = open_source("folder", drop.section, replace(GIVEN, home=tmp_path, peek=True))
    found = [record for kind in Kind for record in source.read(kind, None, Window())]
    for record in found:
        source.taken(record.kind, [record.key])
    source.close()
    assert len(found) == 2
    assert drop.lying() == ["a.xml", "broken.xml"]
    assert sorted(path.name for path in drop.folder.iterdir()) == ["a.xml", "broken.xml"]


def test_a_kind_that_the_route_leaves_out_is_refused_with_the_way_out(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.put("bill.xml", ubl("F-1"))
    source = open_source("folder", drop.section, replace(GIVEN, home=tmp_path, items=frozenset({Kind.SALES_INVOICE})))
    record = one(source.read(Kind.SALES_INVOICE, None, Window()))
    assert isinstance(record, Unreadable)
    assert "does not move vendor bills" in record.reason
    assert "items" in record.fix
    source.taken(record.kind, [record.key])
    assert "bill.xml" in drop.names("rejected")
    assert "bill.xml.reason.txt" in drop.names("rejected")


def test_a_run_right_after_dropping_a_table_waits_for_it_to_settle(tmp_path: Path) -> None:
    drop = Drop(tmp_path, {"settle_seconds": "0.5"})
    drop.put(
        "one.jsonl", '{"kind": "time_record", "key": "1", "date": "2026-05-01", "employee_key": "E", "minutes": 5}\n'
    )
    assert one(drop.run()).minutes == 5
