"""Taking files in: when one is taken, that it is handed out once, and where it ends."""

import os
import time
from datetime import date
from pathlib import Path

import pytest

from connector_service.contract.source import Window
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import NeedsUser, RetryLater, SettingsFault
from connector_service.sources.folder.client import is_passing
from tests.systems.folder.drop import THEM, US, Drop, one, refused, ubl

ROWS = '{"kind":"vendor_bill","key":"%s","date":"2026-11-02","party_key":"P","currency":"EUR","total":"1"}\n'


def young(path: Path) -> None:
    now = time.time()
    os.utime(path, (now, now))


def old(path: Path) -> None:
    then = time.time() - 100
    os.utime(path, (then, then))


def test_file_goes_to_done_by_day_and_leaves_nothing_behind(drop: Drop) -> None:
    drop.put("a.xml", ubl())
    drop.run()
    assert drop.lying() == []
    assert drop.names("done") == ["a.xml"]
    day = next((drop.folder / "done").iterdir())
    assert date.fromisoformat(day.name) <= date.today()  # noqa: DTZ011 - the day of the test, wherever it runs
    drop.run()
    assert drop.names() == ["a.xml"]


def test_file_stays_claimed_until_its_records_are_committed(drop: Drop) -> None:
    drop.put("a.xml", ubl())
    source = drop.open()
    bill = one(source.read(Kind.VENDOR_BILL, None, Window()))
    assert drop.names("done") == []
    source.taken(Kind.VENDOR_BILL, ["something else"])
    assert drop.names("done") == []
    source.close()

    again = drop.open()
    assert one(again.read(Kind.VENDOR_BILL, None, Window())) == bill
    again.taken(Kind.VENDOR_BILL, [bill.key])
    assert drop.names("done") == ["a.xml"]


def test_records_are_handed_out_by_kind_and_once_a_run(drop: Drop) -> None:
    drop.put("s.xml", ubl("S", seller=US, buyer=THEM))
    drop.put("v.xml", ubl("V"))
    source = drop.open()
    assert one(source.read(Kind.SALES_INVOICE, None, Window())).number == "S"
    assert list(source.read(Kind.SALES_CREDIT_NOTE, None, Window())) == []
    assert one(source.read(Kind.VENDOR_BILL, None, Window())).number == "V"
    source.taken(Kind.VENDOR_BILL, [f"{THEM}/V"])
    assert drop.names("done") == ["v.xml"]
    assert one(source.read(Kind.SALES_INVOICE, None, Window())).number == "S"


def test_file_with_several_kinds_waits_for_all_of_them(drop: Drop) -> None:
    other = ROWS.replace("vendor_bill", "sales_invoice")
    drop.put("a.jsonl", ROWS % "1" + other % "2")
    source = drop.open()
    for kind in (Kind.SALES_INVOICE, Kind.VENDOR_BILL):
        assert drop.names("done") == []
        record = one(source.read(kind, None, Window()))
        source.taken(kind, [record.key])
    assert drop.names("done") == ["a.jsonl"]


def test_engine_may_commit_while_it_reads(drop: Drop) -> None:
    drop.put("a.jsonl", "".join(ROWS % n for n in range(50)))
    source = drop.open()
    for record in source.read(Kind.VENDOR_BILL, None, Window()):
        assert drop.names("done") == []
        source.taken(Kind.VENDOR_BILL, [record.key])
    assert drop.names("done") == ["a.jsonl"]


def test_reading_that_is_given_up_begins_anew(drop: Drop) -> None:
    for n in range(5):
        drop.put(f"{n}.xml", ubl(str(n)))
    source = drop.open()
    assert next(source.read(Kind.VENDOR_BILL, None, Window())).key == f"{THEM}/0"
    assert len(list(source.read(Kind.VENDOR_BILL, None, Window()))) == 5
    assert len(drop.run()) == 5


def test_same_invoice_in_other_bytes_is_one_record(drop: Drop) -> None:
    drop.put("a.xml", ubl())
    drop.put("copy of a.xml", ubl().replace("><", ">\n  <").replace("utf-8", "UTF-8") + "\n<!-- again -->")
    assert one(drop.run()).number == "F-1"
    assert drop.names("done") == ["a.xml", "copy of a.xml"]
    drop.put("next week.xml", ubl())
    assert one(drop.run()).key == f"{THEM}/F-1"


def test_copy_that_is_read_after_the_commit_is_put_away_as_well(drop: Drop) -> None:
    for name in ("a.xml", "b.xml"):
        drop.put(name, ubl())
    drop.put("c.xml", ubl(net="200.00", total="221.00"))
    source = drop.open()
    totals = []
    for record in source.read(Kind.VENDOR_BILL, None, Window()):
        totals.append(str(getattr(record, "total", "")))
        source.taken(Kind.VENDOR_BILL, [record.key])
    assert totals == ["121.00", "221.00"]
    assert drop.names("done") == ["a.xml", "b.xml", "c.xml"]


def test_same_number_with_other_content_is_told(drop: Drop) -> None:
    drop.put("a.xml", ubl())
    drop.put("b.xml", ubl(net="200.00", total="221.00"))
    first, second = drop.run()
    assert first.key == second.key
    assert first.total != second.total


def test_records_outside_the_window_stay(drop: Drop) -> None:
    drop.put("a.xml", ubl("A", date="2026-11-02"))
    drop.put("b.xml", ubl("B", date="2026-12-02"))
    source = drop.open()
    november = Window(date(2026, 11, 1), date(2026, 11, 30))
    found = one(source.read(Kind.VENDOR_BILL, None, november))
    source.taken(Kind.VENDOR_BILL, [found.key])
    assert drop.names("done") == ["a.xml"]
    assert one(drop.run()).number == "B"


def test_heads_take_nothing_away(drop: Drop) -> None:
    drop.put("a.xml", ubl())
    source = drop.open()
    head = next(iter(source.heads(Kind.VENDOR_BILL, Window())))
    assert (head.key, head.total_minor, head.currency) == (f"{THEM}/F-1", 12100, "EUR")
    source.close()
    assert len(drop.run()) == 1


def test_names_that_meet_are_not_overwritten(drop: Drop) -> None:
    for n in range(3):
        drop.put("invoice.xml", ubl(str(n)))
        drop.run()
    for n in range(2):
        drop.put("bad.xml", f"<a{n}/>")
        drop.run()
    assert drop.names("done") == ["invoice (2).xml", "invoice (3).xml", "invoice.xml"]
    assert drop.names("rejected") == ["bad (2).xml", "bad (2).xml.reason.txt", "bad.xml", "bad.xml.reason.txt"]


def test_two_bad_files_of_one_name_are_two_records_and_the_same_one_twice_is_one(drop: Drop) -> None:
    keys = []
    for content in ("<a/>", "<b/>", "<a/>"):
        drop.put("bad.xml", content)
        keys.append(refused(drop.run()).key)
    assert keys[0] == keys[2] != keys[1]


def test_reason_is_written_beside_the_file_in_plain_words(drop: Drop) -> None:
    drop.put("order.xml", "<Order/>")
    record = refused(drop.run())
    text = (drop.folder / "rejected" / "order.xml.reason.txt").read_text(encoding="utf-8")
    assert record.reason in text
    assert record.fix in text
    assert text.startswith("order.xml was set aside on ")


def test_good_lines_of_a_faulty_file_are_taken(drop: Drop) -> None:
    drop.put("a.jsonl", ROWS % "1" + '{"kind":"vendor_bill"}\n' + ROWS % "3")
    records = drop.run()
    assert [record.key for record in records if hasattr(record, "total")] == ["1", "3"]
    assert "line 2" in next(record.reason for record in records if not hasattr(record, "total"))
    assert "2 of its 3 records were taken" in (drop.folder / "rejected" / "a.jsonl.reason.txt").read_text()


@pytest.mark.parametrize("content", ["a,b\n1,2\n", '{"kind"', "<Invoice>"])
def test_young_file_waits_until_it_has_settled(drop: Drop, content: str) -> None:
    path = drop.put("a.dat", content)
    source = drop.open(settle_seconds="60")
    young(path)
    assert drop.run(source) == []
    assert drop.lying() == ["a.dat"]
    old(path)
    assert drop.run(source)
    assert drop.lying() == []


def test_a_file_whose_clock_is_ahead_is_taken_once_it_stands_still(drop: Drop) -> None:
    path = drop.put("a.jsonl", ROWS % "1")
    ahead = time.time() + 5000
    os.utime(path, (ahead, ahead))
    assert one(drop.run(drop.open(settle_seconds="0.01"))).key == "1"


def test_whole_invoice_need_not_settle(drop: Drop) -> None:
    young(drop.put("a.xml", ubl()))
    young(drop.put("half.xml", ubl("F-2")[:-40]))
    assert one(drop.run(drop.open(settle_seconds="60"))).number == "F-1"
    assert drop.lying() == ["half.xml"]


def test_empty_file_is_waited_for(drop: Drop) -> None:
    path = drop.put("a.xml", b"")
    source = drop.open(settle_seconds="2")
    then = time.time() - 10
    os.utime(path, (then, then))
    assert drop.run(source) == []
    old(path)
    assert "empty" in refused(drop.run(source)).reason


@pytest.mark.parametrize(
    "name",
    ["a.xml.part", "a.tmp", "~$a.xlsx", ".hidden.xml", "a.crdownload", "Thumbs.db", "desktop.ini", ".~lock.a.xlsx#"],
)
def test_passing_files_are_left_alone(drop: Drop, name: str) -> None:
    assert is_passing(name)
    drop.put(name, ubl())
    assert drop.run() == []
    assert drop.lying() == [name]


def test_folders_are_left_alone(drop: Drop) -> None:
    (drop.folder / "archive").mkdir()
    (drop.folder / "archive" / "a.xml").write_text(ubl())
    assert drop.run() == []
    assert (drop.folder / "archive" / "a.xml").exists()


def test_file_that_vanishes_after_the_claim_is_passed_over(drop: Drop) -> None:
    drop.put("a.jsonl", ROWS % "1")
    drop.put("b.xml", ubl())
    source = drop.open()
    records = source.read(Kind.VENDOR_BILL, None, Window())
    assert next(records).key == "1"
    next((drop.folder / ".taken").rglob("b.xml")).unlink()
    assert list(records) == []
    source.taken(Kind.VENDOR_BILL, ["1"])
    assert drop.names("done") == ["a.jsonl"]


def test_file_that_grows_while_it_is_read_waits_for_the_next_run(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    drop.put("a.jsonl", ROWS % "1")
    seen: list[int] = []
    real = os.fstat

    def growing(handle: int) -> os.stat_result:
        if not seen:
            for path in (drop.folder / ".taken").rglob("a.jsonl"):
                seen.append(handle)
                status = real(handle)
                with path.open("a") as stream:
                    stream.write(ROWS % "2")
                return status
        return real(handle)

    source = drop.open()
    monkeypatch.setattr(os, "fstat", growing)
    assert list(source.read(Kind.VENDOR_BILL, None, Window())) == []
    monkeypatch.undo()
    assert [record.key for record in drop.run()] == ["1", "2"]


def test_folder_is_made_where_it_is_ours_and_missed_where_it_is_not(drop: Drop, tmp_path: Path) -> None:
    drop.open(folder="new/inbox").check()
    assert (tmp_path / "new" / "inbox").is_dir()
    with pytest.raises(RetryLater, match="cannot be reached"):
        drop.open(folder=str(tmp_path / "drive" / "inbox")).check()
    with pytest.raises(RetryLater, match="cannot be reached"):
        list(drop.open(folder=str(tmp_path / "drive" / "inbox")).read(Kind.VENDOR_BILL, None, Window()))


@pytest.mark.parametrize(
    "section",
    [
        {"folder": ""},
        {"settle_seconds": "soon"},
        {"max_file_megabytes": "-1"},
        {"settle_seconds": "nan"},
        {"profile": "no"},
    ],
)
def test_settings_that_cannot_be_used_are_faults(drop: Drop, section: dict[str, str]) -> None:
    with pytest.raises(SettingsFault):
        drop.open(**section)


def test_folder_without_right_to_write(humble: Drop) -> None:
    humble.put("a.xml", ubl())
    humble.folder.chmod(0o500)
    with pytest.raises(NeedsUser, match="cannot be used"):
        humble.open().check()
    with pytest.raises(NeedsUser, match="cannot be used"):
        list(humble.open().read(Kind.VENDOR_BILL, None, Window()))
    humble.folder.chmod(0o700)
    humble.open().check()
    assert len(humble.run()) == 1


def test_identity_does_not_depend_on_the_folder(drop: Drop) -> None:
    assert drop.open().identity() == drop.open(folder="other").identity() == "folder"
    assert drop.open(profile="toggl_time_csv").identity() == "folder:toggl_time_csv"
