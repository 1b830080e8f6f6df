"""The index beside the books: lost, damaged, out of date; and what is read when nothing is new."""

import os
import shutil
import sqlite3
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector_service.contract.target import LookUp
from connector_service.targets.journal.adapter import JournalTarget
from tests.systems.journal.helpers import INVOICE, edit, push, there, without
from tests.systems.journal.names import reference
from tests.systems.journal.oracle import read

INDEX_FILES = (".index.db", ".index.db-wal", ".index.db-shm")


@pytest.mark.parametrize("open_meanwhile", [True, False])
def test_a_deleted_index_is_made_again(target: JournalTarget, books: Path, open_meanwhile: bool) -> None:
    if not open_meanwhile:
        target.close()
    for name in INDEX_FILES:
        (books / name).unlink(missing_ok=True)
    assert [one.found for one in push(target, range(3, 7))] == [True, True, False, False]
    assert there(JournalTarget(books)) == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100, b"\0" * 8192])
def test_a_damaged_index_is_made_again(target: JournalTarget, books: Path, damage: bytes) -> None:
    target.close()
    (books / ".index.db").write_bytes(damage)
    assert [one.found for one in push(target, range(3, 7))] == [True, True, False, False]
    assert read(books).references == Counter(reference(place) for place in range(7))


def test_an_index_damaged_in_the_middle_is_made_again(books: Path) -> None:
    target = JournalTarget(books)
    push(target, range(400))
    target.close()
    data = bytearray((books / ".index.db").read_bytes())
    for page in range(4, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    (books / ".index.db").write_bytes(data)
    assert all(one.found for one in push(target, range(400)))


def test_an_index_of_another_version_is_made_again(target: JournalTarget, books: Path) -> None:
    target.close()
    with sqlite3.connect(books / ".index.db") as database:
        database.execute("pragma user_version = 99")
    database.close()
    assert there(target) == [0, 1, 2, 3, 4]


def test_an_index_from_a_backup_is_brought_up_to_date(target: JournalTarget, books: Path, tmp_path: Path) -> None:
    target.close()
    shutil.copy2(books / ".index.db", tmp_path / "old.db")
    push(target, range(5, 8))
    target.close()
    shutil.copy2(tmp_path / "old.db", books / ".index.db")
    assert there(target) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_books_from_a_backup_are_what_counts(target: JournalTarget, books: Path, tmp_path: Path) -> None:
    target.close()
    shutil.copytree(books, tmp_path / "backup")
    push(target, range(5, 8))
    for path in (tmp_path / "backup").glob("*.beancount"):
        shutil.copy2(path, books / path.name)
    assert there(target) == [0, 1, 2, 3, 4]
    moved = JournalTarget(tmp_path / "backup")
    assert there(moved) == [0, 1, 2, 3, 4]
    assert moved.company().id == target.company().id


def test_an_edit_of_the_same_size_at_the_same_moment_is_seen_at_the_end(target: JournalTarget, books: Path) -> None:
    target.close()
    year = books / "2026.beancount"
    before = year.stat()
    text = year.read_bytes()
    at = text.rindex(b"Assets:Receivable:C4  121.04 EUR\n") + 22
    year.write_bytes(text[:at] + b"999.04" + text[at + 6 :])
    # Only the tail tells, since size, inode and time are as they were.
    os.utime(year, ns=(before.st_atime_ns, before.st_mtime_ns))
    ((found,),) = target.look_up([LookUp(INVOICE, external_reference=reference(4))])
    assert found.total == Decimal("999.04")


def test_nothing_new_reads_no_file(target: JournalTarget, books: Path) -> None:
    target.close()
    opened: list[str] = []
    listening = True

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if listening and event == "open" and str(books) in str(arguments[0]):
            opened.append(str(arguments[0]))

    sys.addaudithook(listen)
    fresh = JournalTarget(books)
    assert fresh.look_up([]) == []
    assert opened == []
    there(fresh)
    read_first = [name for name in opened if name.endswith("2026.beancount")]
    opened.clear()
    there(fresh)
    listening = False
    assert len(read_first) == 1  # its end, once
    assert not [name for name in opened if name.endswith(".beancount")]


def rows(target: JournalTarget) -> list[str]:
    """The references of all invoices, one for each row that the index holds."""
    return sorted(found.external_reference for found in target.booked(INVOICE, date.min, date.max))


def test_rows_that_wait_in_memory_are_found_by_whoever_asks(target: JournalTarget, books: Path) -> None:
    push(target, range(5, 7))
    other = JournalTarget(books)
    assert there(other) == [0, 1, 2, 3, 4, 5, 6]
    assert [one.found for one in push(other, range(6, 8))] == [True, False]
    # What the other has read is not written a second time, and what it wrote is seen.
    assert [one.found for one in push(target, range(5, 10))] == [True, True, True, False, False]
    for one in (target, other, target):
        assert rows(one) == [reference(place) for place in range(10)]
        one.close()
    assert rows(JournalTarget(books)) == [reference(place) for place in range(10)]


def test_two_programs_in_turn_leave_one_row_for_each_document(books: Path) -> None:
    both = [JournalTarget(books), JournalTarget(books)]
    for place in range(0, 40, 2):
        push(both[place // 2 % 2], range(place, place + 2))
        if place % 6 == 0:
            assert len(there(both[place // 4 % 2], 40)) == place + 2
    for one in both:
        one.close()
    assert rows(JournalTarget(books)) == [reference(place) for place in range(40)]


def test_only_what_lacks_rows_is_read_after_a_process_ended_without_closing(target: JournalTarget, books: Path) -> None:
    target.close()
    push(target, range(5, 8))
    year = books / "2026.beancount"
    before = year.stat()
    # An edit that nothing tells of, in the part whose rows are written: it is seen only by who reads all.
    year.write_bytes(year.read_bytes().replace(reference(0).encode(), b"x" * len(reference(0)), 1))
    os.utime(year, ns=(before.st_atime_ns, before.st_mtime_ns))
    next_process = JournalTarget(books)
    assert there(next_process) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert rows(next_process) == [reference(place) for place in range(8)]


def test_an_edit_while_rows_wait_is_what_counts(target: JournalTarget, books: Path) -> None:
    push(target, range(5, 7))
    without(books / "2026.beancount", 6)
    without(books / "2026.beancount", 1)
    assert [one.found for one in push(target, range(7))] == [True, False, True, True, True, True, False]
    target.close()
    assert rows(JournalTarget(books)) == [reference(place) for place in range(7)]


def test_an_index_deleted_while_rows_wait_is_made_again(target: JournalTarget, books: Path) -> None:
    for name in INDEX_FILES:
        (books / name).unlink(missing_ok=True)
    push(target, range(5, 6))
    target.close()
    assert rows(JournalTarget(books)) == [reference(place) for place in range(6)]


def test_more_documents_than_may_wait(books: Path) -> None:
    target = JournalTarget(books)
    for first in range(0, 4500, 900):
        push(target, range(first, first + 900))
    with sqlite3.connect(books / ".index.db") as database:
        (written,) = database.execute("select count(*) from documents").fetchone()
    database.close()
    # Most are written meanwhile: memory is bounded, and so is what a crash leaves to be read.
    assert 2000 < written < 4500
    assert len(there(target, 4500)) == 4500


def test_what_stood_in_a_file_before_it_was_included_is_found(target: JournalTarget, books: Path) -> None:
    push(target, range(20, 21), date=date(2031, 1, 1))
    year = books / "2031.beancount"
    year.write_text(year.read_text().replace(reference(20), "CS-older"))
    edit(books / "main.beancount", 'include "2031.beancount"\n', "")
    assert rows(target) == [reference(place) for place in range(5)]
    push(target, range(21, 22), date=date(2031, 1, 1))
    assert rows(target) == sorted([*map(reference, range(5)), reference(21), "CS-older"])


def test_rows_that_wait_are_found_when_the_same_documents_come_again(target: JournalTarget, books: Path) -> None:
    push(target, range(5, 7))
    assert [one.found for one in push(target, range(4, 8))] == [True, True, True, False]
    assert rows(target) == [reference(place) for place in range(8)]


def test_rows_that_another_program_has_read_are_not_written_again(target: JournalTarget, books: Path) -> None:
    push(target, range(5, 7))
    assert there(JournalTarget(books)) == [0, 1, 2, 3, 4, 5, 6]
    push(target, range(7, 8))
    target.close()
    assert rows(JournalTarget(books)) == [reference(place) for place in range(8)]


def test_rows_that_wait_for_what_was_taken_out_meanwhile_are_not_written(target: JournalTarget, books: Path) -> None:
    year = books / "2026.beancount"
    before = year.read_bytes()
    push(target, range(5, 6))
    year.write_bytes(before)
    assert there(JournalTarget(books)) == [0, 1, 2, 3, 4]
    target.close()
    assert rows(JournalTarget(books)) == [reference(place) for place in range(5)]
