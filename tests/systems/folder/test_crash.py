"""The process ends at each step of the intake: nothing is lost, nothing comes twice, nothing stays behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector_service.contract.crashpoints import KILLED
from tests.systems.folder.drop import ROOT, THEM, Drop, ubl
from tests.systems.folder.test_mapping import BINARY

POINTS = (
    "folder.claimed",
    "folder.claimed:3",
    "folder.attachment_written",
    "folder.parsed",
    "folder.parsed:2",
    "folder.before_done",
    "folder.after_done",
    "folder.after_done:2",
    "folder.before_reason",
    "folder.after_reason",
    "folder.after_rejected",
)


def run(home: Path, crash_at: str = "") -> int:
    environment = {**os.environ, "CONNECTOR_CRASH_AT": crash_at, "PYTHONPATH": str(ROOT)}
    script = [sys.executable, "-m", "tests.systems.folder.crash_run", str(home)]
    return subprocess.run(script, cwd=ROOT, env=environment, check=False, timeout=60).returncode


@pytest.mark.parametrize("point", POINTS)
def test_crash_loses_nothing_and_doubles_nothing(drop: Drop, tmp_path: Path, point: str) -> None:
    for n in range(3):
        drop.put(f"{n}.xml", ubl(f"N{n}", parties=BINARY.format("application/pdf", f"{n}.pdf", "JVBERg==")))
    drop.put("bad.xml", "<Order/>")
    assert run(tmp_path, point) == KILLED
    lying = [*drop.lying(), *drop.names(".taken"), *drop.names("done"), *drop.names("rejected")]
    assert {"0.xml", "1.xml", "2.xml", "bad.xml"} <= set(lying)

    assert run(tmp_path) == 0
    stored = (tmp_path / "store.txt").read_text().splitlines()
    assert sorted(stored) == sorted(set(stored))
    assert {f"vendor_bill {THEM}/N{n}" for n in range(3)} <= set(stored)
    assert sum("unreadable" in line for line in stored) == 1
    assert drop.lying() == drop.names(".taken") == []
    kept = [name for name in drop.names("done") if not name.startswith(".")]
    assert kept == ["0.pdf", "0.xml", "1.pdf", "1.xml", "2.pdf", "2.xml"]
    assert drop.names("rejected") == ["bad.xml", "bad.xml.reason.txt"]
