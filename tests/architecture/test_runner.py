"""The runner of the tests: budgets, counting, and that every suite is known to it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.run import Budget, Tally, summary, verdicts

BUDGET = Budget(steps={"unit": 10.0, "web": 100.0}, total=120, quick=60, fail_over=1.5, serial=())


def test_every_folder_with_tests_has_a_budget_and_they_fit() -> None:
    budget = Budget.load((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    suites = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert suites <= budget.steps.keys()
    assert sum(budget.steps.values()) <= budget.total <= 1800


def test_over_budget_warns_and_fails_only_where_strict_and_far_over() -> None:
    lines, failures = verdicts({"unit": 14.0, "web": 90.0}, BUDGET, strict=True)
    assert "over its budget" in lines[0]
    assert "over its budget" not in lines[1]
    assert failures == []
    assert verdicts({"unit": 16.0}, BUDGET, strict=False)[1] == []
    assert len(verdicts({"unit": 16.0}, BUDGET, strict=True)[1]) == 1
    assert "no budget" in verdicts({"new": 1.0}, BUDGET, strict=True)[0][0]


def test_counts_of_several_runs_add_up() -> None:
    tally = Tally()
    tally.add({"passed": 3, "failed": 1, "skipped": [["unit", "no server", 2]], "seconds": {"unit": 8.0}}, workers=2)
    tally.add({"passed": 4, "failed": 0, "skipped": [["unit", "no server", 1]], "seconds": {"unit": 1.0}}, workers=1)
    assert (tally.passed, tally.failed) == (7, 1)
    assert tally.skipped[("unit", "no server")] == 3
    assert tally.seconds == {"unit": 5.0}


def test_last_line_counts_and_status_tells(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally(passed=5, seconds={"unit": 1.0})
    tally.skipped[("systems", "no PostgreSQL server")] = 2
    assert summary(tally, BUDGET, 1.0, quick=False, strict=True) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "5 passed, 0 failed, 2 skipped"
    assert "2 in systems: no PostgreSQL server" in out
    assert summary(Tally(passed=5, failed=1), BUDGET, 1.0, quick=False, strict=False) == 1
    assert (
        summary(Tally(passed=5, broken=["`ruff check` found something."]), BUDGET, 1.0, quick=True, strict=False) == 1
    )
    assert summary(Tally(passed=5), BUDGET, 181.0, quick=False, strict=True) == 1


TESTS = """
import pytest
def test_good():
    import logging
    logging.getLogger().warning("half a character: \\udc80")
def test_bad(): assert 0
def test_skipped(): pytest.skip("no server")
@pytest.fixture
def broken(): raise OSError
def test_setup(broken): pass
@pytest.mark.long
def test_campaign(): assert 0
@pytest.mark.xfail(reason="later")
def test_expected(): assert 0
def test_outside():
    import socket
    with pytest.raises(OSError, match="this machine"):
        socket.create_connection(("192.0.2.1", 9), timeout=1)
"""


@pytest.mark.parametrize("spread", [["-p", "no:xdist"], ["-n", "2", "--dist", "loadgroup"]])
def test_report_tells_what_pytest_saw(tmp_path: Path, spread: list[str]) -> None:
    folder = tmp_path / "tests" / "unit"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "tests" / "conftest.py").write_text(
        (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (folder / "test_sample.py").write_text(TESTS, encoding="utf-8")
    (folder / "test_unreadable.py").write_text("import nothing_of_that_name\n", encoding="utf-8")
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", *spread]
    subprocess.run([*command, f"--suite-report={report}"], cwd=tmp_path, check=False, capture_output=True)
    seen = json.loads(report.read_text(encoding="utf-8"))
    assert (seen["passed"], seen["failed"]) == (2, 3)
    assert sorted(seen["skipped"]) == [
        ["unit", "a big campaign: run `dev.py test --long`", 1],
        ["unit", "known not to work yet: later", 1],
        ["unit", "no server", 1],
    ]
    assert seen["seconds"].keys() == {"unit"}
