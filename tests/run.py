"""Runs all of `dev.py test`: lint, types, and the suites with their budgets. Started by dev.py in .venv."""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
QUICK_SUITES: Final = ("architecture", "unit")
NO_TESTS_COLLECTED: Final = 5


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds that each step may take on two cores, from pyproject.toml."""

    steps: dict[str, float]
    total: float
    quick: float
    fail_over: float
    serial: tuple[str, ...]

    @classmethod
    def load(cls, text: str) -> "Budget":
        """Read the table ``tool.connector.tests``."""
        table = tomllib.loads(text)["tool"]["connector"]["tests"]
        return cls(
            steps={name: float(seconds) for name, seconds in table["budget"].items()},
            total=float(table["total"]),
            quick=float(table["quick"]),
            fail_over=float(table["fail_over"]),
            serial=tuple(table["serial"]),
        )


@dataclass(slots=True)
class Tally:
    """What all runs of pytest came to."""

    passed: int = 0
    failed: int = 0
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """Steps that did not succeed, as sentences."""

    def add(self, report: dict[str, Any], workers: int) -> None:
        """Add the report that one run of pytest wrote (see tests/conftest.py)."""
        self.passed += report["passed"]
        self.failed += report["failed"]
        for suite, reason, count in report["skipped"]:
            self.skipped[(suite, reason)] += count
        for suite, seconds in report["seconds"].items():
            # Tests run side by side: the share of the clock is their sum over the number of workers.
            self.seconds[suite] = self.seconds.get(suite, 0.0) + seconds / workers


def verdicts(seconds: dict[str, float], budget: Budget, *, strict: bool) -> tuple[list[str], list[str]]:
    """The table of times, and the sentences about budgets that are a failure.

    A step over its budget is a warning in the table; more than ``fail_over`` times over is a failure where ``strict``
    holds (CI).
    """
    lines, failures = [], []
    for name, took in seconds.items():
        allowed = budget.steps.get(name)
        if allowed is None:
            lines.append(f"  {name:<14}{took:8.1f} s   no budget in pyproject.toml")
            continue
        note = "" if took <= allowed else "   over its budget"
        lines.append(f"  {name:<14}{took:8.1f} s of {allowed:.0f}{note}")
        if strict and took > allowed * budget.fail_over:
            failures.append(
                f"{name} took {took:.0f} s, more than {budget.fail_over} times its budget of {allowed:.0f} s."
            )
    return lines, failures


def has_tests(folder: Path) -> bool:
    """Whether a folder holds test files."""
    return any(folder.rglob("test_*.py"))


def step(name: str, tally: Tally, commands: list[list[str]]) -> None:
    """Run the commands of one step that is not pytest."""
    started = time.monotonic()
    print(f"== {name}", flush=True)
    for command in commands:
        done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False)
        if done.returncode != 0:
            tally.broken.append(f"`{' '.join(command[:2])}` found something; see above.")
    tally.seconds[name] = time.monotonic() - started


def lint_and_types(tally: Tally) -> None:
    """Lint, format and types of all code that is there."""
    step("lint", tally, [["ruff", "check", "--quiet", "."], ["ruff", "format", "--check", "--quiet", "."]])
    present = [name for name in ("connector_service", "tray", "tests", "installer", "dev.py") if (ROOT / name).exists()]
    step("types", tally, [["mypy", *present]])


def pytest_run(title: str, arguments: list[str], tally: Tally, workers: int, *, may_be_empty: bool) -> None:
    """Run pytest once and add what it came to."""
    print(f"== {title}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        spread = (
            ["-n", str(workers), "--dist", "loadgroup", "--no-loadscope-reorder"] if workers > 1 else ["-p", "no:xdist"]
        )
        command = [sys.executable, "-m", "pytest", "-q", *spread, f"--suite-report={report}", *arguments]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if not report.exists():
            tally.broken.append(f"pytest ended with status {status} before it could report.")
            return
        tally.add(json.loads(report.read_text(encoding="utf-8")), workers)
    if status == NO_TESTS_COLLECTED and may_be_empty:
        return
    if status != 0:
        tally.broken.append(
            "Some tests did not pass; see above." if status == 1 else f"pytest ended with status {status}."
        )


def all_suites(tally: Tally, budget: Budget, options: list[str], *, quick: bool) -> None:
    """Run every suite: those that may run side by side first, then those that measure time, one test after another."""
    tests = ROOT / "tests"
    if quick:
        chosen = [f"tests/{name}" for name in QUICK_SUITES if has_tests(tests / name)]
    else:
        # Whatever stands under tests/ runs, so that a suite cannot be forgotten here.
        chosen = ["tests", *(f"--ignore=tests/{name}" for name in budget.serial)]
    if chosen:
        pytest_run("tests", [*chosen, *options], tally, 2, may_be_empty=True)
    serial = [] if quick else [f"tests/{name}" for name in budget.serial if has_tests(tests / name)]
    if serial:
        pytest_run("tests that measure time", [*serial, *options], tally, 1, may_be_empty=True)


def summary(tally: Tally, budget: Budget, took: float, *, quick: bool, strict: bool) -> int:
    """Print skipped tests, times and the count; return the exit status."""
    if tally.skipped:
        print("\nSkipped tests")
        for (suite, reason), count in sorted(tally.skipped.items()):
            print(f"  {count} in {suite}: {reason}")
    lines, failures = verdicts(tally.seconds, budget, strict=strict)
    print("\nTime by step")
    for line in lines:
        print(line)
    whole = budget.quick if quick else budget.total
    print(f"  {'in all':<14}{took:8.1f} s of {whole:.0f}{'   over the budget' if took > whole else ''}")
    if strict and took > whole * budget.fail_over:
        failures.append(f"The whole took {took:.0f} s, more than {budget.fail_over} times its budget of {whole:.0f} s.")
    for sentence in (*tally.broken, *failures):
        print(sentence)
    print(f"\n{tally.passed} passed, {tally.failed} failed, {sum(tally.skipped.values())} skipped", flush=True)
    return 1 if tally.failed or tally.broken or failures else 0


def main(arguments: list[str]) -> int:
    """Run what is asked for.

    ``--quick``: lint, types, architecture and unit tests. ``--long``: the big campaigns too. Anything else goes to
    pytest; then lint, types and budgets are left out.
    """
    quick, long = "--quick" in arguments, "--long" in arguments
    chosen = [argument for argument in arguments if argument not in ("--quick", "--long")]
    options = [name for name, on in (("--quick", quick), ("--long", long)) if on]
    budget = Budget.load((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tally = Tally()
    started = time.monotonic()
    # Campaigns of --long take hours by design, so that budgets say nothing there.
    strict = os.environ.get("CI", "").lower() == "true" and not long
    if chosen:
        print("Only the tests that you named; lint and types are left out.", flush=True)
        pytest_run("tests", [*options, *chosen], tally, 1, may_be_empty=False)
    else:
        lint_and_types(tally)
        all_suites(tally, budget, options, quick=quick)
    return summary(tally, budget, time.monotonic() - started, quick=quick, strict=strict and not chosen)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
