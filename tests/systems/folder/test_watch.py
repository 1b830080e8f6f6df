"""A file that lands is told at once, by events or by looking again."""

import threading
from pathlib import Path

import pytest

from connector_service.sources.folder import watch
from tests.systems.folder.drop import Drop, ubl


@pytest.mark.parametrize("polls", [False, True], ids=["by events", "by looking"])
def test_file_that_lands_is_told(drop: Drop, monkeypatch: pytest.MonkeyPatch, polls: bool) -> None:
    monkeypatch.setattr(watch, "is_remote", lambda folder: polls)
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.1)
    told = threading.Event()
    source = drop.open(settle_seconds="0.1")
    watching = source.watch(told.set)
    try:
        assert watching.polls is polls
        drop.put("a.xml", ubl())
        assert told.wait(20)
    finally:
        watching.stop()
    assert len(drop.run(source)) == 1


def test_passing_and_own_files_are_not_told(drop: Drop) -> None:
    calls: list[str] = []
    told = threading.Event()

    def note() -> None:
        calls.append("told")
        told.set()

    watching = drop.open().watch(note)
    try:
        drop.put("a.part", "x")
        (drop.folder / "done").mkdir()
        (drop.folder / "done" / "b.xml").write_text("x")
        assert watching.pending is False
        drop.put("c.xml", ubl())
        assert told.wait(20)
    finally:
        watching.stop()
    assert calls == ["told"]


def test_nothing_is_told_after_the_stop(drop: Drop) -> None:
    calls: list[str] = []
    watching = drop.open(settle_seconds="30").watch(lambda: calls.append("told"))
    drop.put("a.xml", ubl())
    watching.stop()
    assert watching.pending is False
    assert calls == []


def test_local_folder_is_not_remote(tmp_path: Path) -> None:
    assert watch.is_remote(tmp_path) is False
