"""The index beside the books: lost, damaged, out of date; and what is read when nothing is new."""

import os
import shutil
import sqlite3
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector_service.contract.target import LookUp
from connector_service.targets.journal.adapter import JournalTarget
from tests.systems.journal.helpers import INVOICE, push, there
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
