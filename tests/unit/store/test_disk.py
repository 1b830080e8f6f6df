"""A disk that is full and a folder that may not be written: the right words, and nothing lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connector_service.domain.kinds import Kind, State
from connector_service.domain.problems import RetryLater
from connector_service.store.listing import Filter
from tests.support.documents import plain
from tests.unit.store.support import Place, dump, open_store
from tests.unit.store.test_database import filled

Ask = Callable[..., str]


def test_a_full_disk_is_said_and_loses_nothing(small_disk: Path) -> None:
    store = open_store(small_disk)
    place = Place(store)
    done: list[str] = []

    def fill() -> None:
        for start in range(1, 10_000, 20):
            done.extend(one.key for one in place.add(*(plain(Kind.SALES_INVOICE, start + at) for at in range(20))))

    with pytest.raises(RetryLater) as full:
        fill()
    assert full.value.code == "DISK_FULL"
    assert "KiB left" in full.value.why
    assert "Free some space" in full.value.fix
    assert done
    # What was answered is there, nothing of what was not is, and the trail tells the same.
    assert [row.key for row in store.listing.documents(Filter(), limit=100_000)] == done
    assert [one["key"] for one in place.events()] == done
    place.assert_in_order()
    store.close()
    copy = small_disk.parent / "copy"
    shutil.copytree(small_disk, copy)
    again = open_store(copy)
    assert again.database.aside is None
    moved = Place(again)
    assert moved.counted() == {State.WAITING: len(done)}
    moved.add(plain(Kind.VENDOR_BILL))
    moved.assert_in_order()
    again.close()


def test_a_full_disk_at_the_first_start_is_said_and_leaves_no_half_a_store(small_disk: Path) -> None:
    block = small_disk / "full"
    with pytest.raises(OSError, match="No space"):
        block.write_bytes(bytes(2 << 20))
    with pytest.raises(RetryLater) as full:
        open_store(small_disk)
    assert full.value.code == "DISK_FULL"
    block.unlink()
    store = open_store(small_disk)
    assert store.database.aside is None
    Place(store).add(plain(Kind.SALES_INVOICE))
    store.close()


@pytest.mark.parametrize("file_rights", [0o644, 0o666], ids=["all", "folder"])
def test_a_folder_that_may_not_be_written_is_said(public_folder: Path, as_nobody: Ask, file_rights: int) -> None:
    before = filled(public_folder)
    (public_folder / "state.db").chmod(file_rights)
    said = as_nobody("write", public_folder, 9)
    assert said.startswith("NeedsUser FOLDER_NOT_WRITABLE The data folder cannot be written to.")
    assert str(public_folder / "state.db") in said
    assert "--home" in said
    assert [file.name for file in public_folder.iterdir()] == ["state.db"]
    assert dump(public_folder / "state.db") == before


def test_a_new_store_in_a_folder_that_may_not_be_written(public_folder: Path, as_nobody: Ask) -> None:
    assert as_nobody("open", public_folder).startswith("NeedsUser FOLDER_NOT_WRITABLE")
    assert list(public_folder.iterdir()) == []


def test_a_store_that_may_not_even_be_read(public_folder: Path, as_nobody: Ask) -> None:
    before = filled(public_folder)
    (public_folder / "state.db").chmod(0o600)
    for command in ("open", "read"):
        assert as_nobody(command, public_folder).startswith("NeedsUser FOLDER_NOT_WRITABLE")
    assert dump(public_folder / "state.db") == before


def test_a_folder_that_may_not_even_be_entered(public_folder: Path, as_nobody: Ask) -> None:
    before = filled(public_folder)
    public_folder.chmod(0o700)
    for command in ("open", "read"):
        assert as_nobody(command, public_folder).startswith("NeedsUser FOLDER_NOT_WRITABLE")
    assert dump(public_folder / "state.db") == before


def test_a_foreign_file_that_cannot_be_set_aside_stays(public_folder: Path, as_nobody: Ask) -> None:
    (public_folder / "state.db").write_bytes(b"no database at all. " * 100)
    (public_folder / "state.db").chmod(0o666)
    assert as_nobody("open", public_folder).startswith("NeedsUser FOLDER_NOT_WRITABLE")
    assert (public_folder / "state.db").read_bytes() == b"no database at all. " * 100


def test_the_lock_in_a_folder_that_may_not_be_written(public_folder: Path, as_nobody: Ask) -> None:
    assert as_nobody("trylock", public_folder).startswith("NeedsUser FOLDER_NOT_WRITABLE")
    assert list(public_folder.iterdir()) == []
