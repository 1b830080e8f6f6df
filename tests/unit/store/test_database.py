"""Opening the store: new, older, newer, foreign and damaged files; nothing that was there is ever lost."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from connector_service.domain.kinds import Kind
from connector_service.domain.problems import ConnectorError, NeedsUser
from connector_service.store import database as module
from connector_service.store.database import APPLICATION_ID, Database, StoreDamaged
from connector_service.store.listing import Filter
from connector_service.store.migrations import LATEST, MIGRATIONS
from tests.support.documents import plain
from tests.unit.store.support import Place, dump, open_store

NEXT = LATEST + 1
STEP = (NEXT, ("ALTER TABLE document ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'", "CREATE TABLE extra (id INTEGER)"))


def filled(folder: Path, many: int = 3) -> list[tuple[object, ...]]:
    """A store with documents, closed; returns all that it holds."""
    store = open_store(folder)
    Place(store).add(*(plain(Kind.SALES_INVOICE, number) for number in range(1, many + 1)))
    store.close()
    return dump(folder / "state.db")


def newer_program(patch: pytest.MonkeyPatch, *steps: tuple[int, tuple[str, ...]]) -> None:
    """Make this program one that knows further steps."""
    patch.setattr(module, "MIGRATIONS", (*MIGRATIONS, *steps))
    patch.setattr(module, "LATEST", steps[-1][0])


def test_a_new_file_is_made_ours_and_durable(folder: Path) -> None:
    database = Database(folder / "state.db", folder / "backups")
    asked = {
        name: database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("user_version", "application_id", "journal_mode", "synchronous", "foreign_keys")
    }
    assert asked == {
        "user_version": LATEST,
        "application_id": APPLICATION_ID,
        "journal_mode": "wal",
        "synchronous": 2,  # FULL: a commit is on disk before it is answered
        "foreign_keys": 1,
    }
    assert database.aside is None
    assert not (folder / "backups").exists()
    database.close()


def test_the_same_store_is_opened_again(folder: Path) -> None:
    before = filled(folder)
    open_store(folder).close()
    assert dump(folder / "state.db") == before
    assert sorted(file.name for file in folder.iterdir()) == ["state.db"]


def test_an_empty_file_becomes_the_store(folder: Path) -> None:
    (folder / "state.db").touch()
    store = open_store(folder)
    assert store.database.aside is None
    assert store.listing.count(Filter()) == 0
    store.close()


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE invoice (id INTEGER PRIMARY KEY, total TEXT)")
        file.execute("INSERT INTO invoice VALUES (1, '121.00')")


def foreign_with_its_own_id(path: Path) -> None:
    foreign(path)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA application_id = 0x47504B47")
        file.execute("PRAGMA user_version = 1")


def garbage(path: Path) -> None:
    path.write_bytes(b"This is a letter to the accountant, and no database at all.\n" * 200)


def few_bytes(path: Path) -> None:
    path.write_bytes(b"\x00\x01")


def truncated(path: Path) -> None:
    filled(path.parent, 200)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def torn_header(path: Path) -> None:
    filled(path.parent)
    data = path.read_bytes()
    path.write_bytes(b"\x00" * 100 + data[100:])


def scrambled_pages(path: Path) -> None:
    filled(path.parent, 200)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8192] = b"\xa5" * 8192
    path.write_bytes(data)


SPOILT = [foreign, foreign_with_its_own_id, garbage, few_bytes, truncated, torn_header, scrambled_pages]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda one: one.__name__)
def test_a_file_that_cannot_be_the_store_is_set_aside_untouched(folder: Path, spoil: object) -> None:
    path = folder / "state.db"
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes()
    store = open_store(folder)
    aside = store.database.aside
    assert aside is not None
    assert aside.parent == folder
    assert aside.read_bytes() == before
    assert store.database.aside_reason
    assert store.listing.count(Filter()) == 0
    Place(store).add(plain(Kind.SALES_INVOICE))
    store.close()
    again = open_store(folder)
    assert again.database.aside is None
    assert again.listing.count(Filter()) == 1
    again.close()


@pytest.mark.parametrize("spoil", [garbage, few_bytes, torn_header], ids=lambda one: one.__name__)
def test_who_only_reads_is_told_of_a_damaged_file_and_leaves_it(folder: Path, spoil: object) -> None:
    path = folder / "state.db"
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(StoreDamaged) as caught:
        open_store(folder, read_only=True)
    assert str(path) in str(caught.value)
    assert "connector restore" in caught.value.fix
    assert path.read_bytes() == before


def test_a_page_that_turns_out_damaged_later_is_said_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUICK_CHECK_BYTES", 0)  # as for a store too large to be looked through
    scrambled_pages(folder / "state.db")
    before = (folder / "state.db").read_bytes()
    store = open_store(folder)
    assert store.database.aside is None
    with pytest.raises(StoreDamaged, match="The store cannot be read"):
        store.database.execute("SELECT count(*), sum(length(content)), sum(length(problems)) FROM body").fetchone()
    with pytest.raises(StoreDamaged, match="connector restore"), store.database.write():
        store.database.execute("UPDATE body SET content = content || ' '")
    store.close()
    assert (folder / "state.db").read_bytes() == before


def test_a_store_of_a_newer_version_is_left_as_it_is(folder: Path) -> None:
    filled(folder)
    path = folder / "state.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {NEXT}")
    before = dump(path)
    for read_only in (False, True):
        with pytest.raises(NeedsUser) as caught:
            open_store(folder, read_only)
        assert f"It has version {NEXT}" in caught.value.why
        assert caught.value.fix
    assert dump(path) == before
    assert [file.name for file in folder.glob("*set-aside*")] == []


def test_an_older_store_is_backed_up_and_brought_up_to_date(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled(folder)
    newer_program(monkeypatch, STEP)
    store = open_store(folder)
    assert store.database.execute("PRAGMA user_version").fetchone()[0] == NEXT
    assert store.database.execute("SELECT DISTINCT colour FROM document").fetchall() == [("red",)]
    assert store.listing.count(Filter()) == 3
    store.close()
    (backup,) = (folder / "backups").iterdir()
    assert backup.name.startswith(f"before-version-{NEXT}-")
    assert dump(backup) == before
    monkeypatch.undo()
    # The backup serves the older program as it stands.
    shutil.copy(backup, folder / "state.db")
    open_store(folder).close()
    assert dump(folder / "state.db") == before


def test_several_steps_are_taken_in_order_after_one_backup(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(folder)
    more = (NEXT + 1, ("INSERT INTO extra VALUES (7)", "UPDATE document SET colour = 'blue'"))
    newer_program(monkeypatch, STEP, more)
    store = open_store(folder)
    assert store.database.execute("SELECT id FROM extra").fetchall() == [(7,)]
    assert store.database.execute("SELECT DISTINCT colour FROM document").fetchall() == [("blue",)]
    store.close()
    assert len(list((folder / "backups").iterdir())) == 1
    open_store(folder).close()
    assert len(list((folder / "backups").iterdir())) == 1


def test_a_step_that_breaks_off_leaves_the_store_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled(folder)
    newer_program(monkeypatch, (NEXT, (*STEP[1], "INSERT INTO no_such_table VALUES (1)")))
    with pytest.raises(ConnectorError):
        open_store(folder)
    assert dump(folder / "state.db") == before
    monkeypatch.undo()
    store = open_store(folder)
    assert store.listing.count(Filter()) == 3
    store.close()


def test_no_step_is_taken_where_the_backup_cannot_be_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled(folder)
    (folder / "backups").write_text("a file in the folder's place", encoding="utf-8")
    newer_program(monkeypatch, STEP)
    with pytest.raises(ConnectorError) as caught:
        open_store(folder)
    assert caught.value.code == "FOLDER_NOT_WRITABLE"
    assert str(folder / "backups") in str(caught.value)
    assert dump(folder / "state.db") == before


def test_who_only_reads_an_older_store_is_told_what_brings_it_up_to_date(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled(folder)
    newer_program(monkeypatch, STEP)
    with pytest.raises(NeedsUser, match=f"this program reads version {NEXT}"):
        open_store(folder, read_only=True)
    assert dump(folder / "state.db") == before


def test_who_only_reads_where_there_is_no_store_sees_an_empty_one_and_makes_none(folder: Path) -> None:
    store = open_store(folder, read_only=True)
    assert store.listing.count(Filter()) == 0
    assert store.runs.runs(None) == []
    store.close()
    assert list(folder.iterdir()) == []


def test_who_only_reads_cannot_write(folder: Path) -> None:
    before = filled(folder)
    store = open_store(folder, read_only=True)
    with pytest.raises(ConnectorError):
        store.database.execute("DELETE FROM document")
    store.close()
    assert dump(folder / "state.db") == before


def test_a_transaction_is_whole_or_not_at_all(folder: Path) -> None:
    before = filled(folder)
    store = open_store(folder)

    def breaks_off() -> None:
        with store.database.write():
            store.database.execute("DELETE FROM document")
            raise KeyError

    with pytest.raises(KeyError):
        breaks_off()
    assert dump(folder / "state.db") == before
    store.close()


def test_another_process_reads_and_writes_while_a_transaction_is_open(folder: Path) -> None:
    filled(folder)
    store = open_store(folder)
    run = [sys.executable, "-m", "tests.unit.store.worker"]
    place = Path(__file__).parents[3]
    with store.database.write():
        store.database.execute("UPDATE document SET number = 'changed'")
        seen = subprocess.run([*run, "read", str(folder)], capture_output=True, text=True, check=True, cwd=place)
        assert seen.stdout.strip() == "documents 3"
    store.close()


def test_reading_goes_on_and_never_goes_back_while_another_process_writes(folder: Path) -> None:
    filled(folder, 1)
    line = [sys.executable, "-m", "tests.unit.store.worker", "write", str(folder), "60"]
    reader = open_store(folder, read_only=True)
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as writer:
        assert writer.stdout is not None
        for said in writer.stdout:
            if said.startswith("documents"):
                break
            # What was said to be done is there, with its content and its event.
            number = int(said)
            rows = reader.listing.documents(Filter(), limit=1000)
            assert len(rows) >= number
            assert all(row.party for row in rows)
            assert reader.trail.head()[0] >= number
    assert writer.returncode == 0
    assert reader.listing.count(Filter()) == 60
    reader.close()


def test_a_backup_of_a_store_in_use_is_whole(folder: Path) -> None:
    store = open_store(folder)
    place = Place(store)
    place.add(*(plain(Kind.VENDOR_BILL, number) for number in range(1, 51)))
    with store.database.write():
        place.add(plain(Kind.SALES_INVOICE))
    made = store.database.backup(folder / "somewhere" / "else" / "copy.db")
    assert dump(made) == place.content()
    assert [file.name for file in made.parent.iterdir()] == ["copy.db"]
    store.close()
