"""Figures: each is a ratio of two things measured in turn in the same run. They are told, never asserted."""

import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@dataclass
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str
    reference: str
    goal: str = ""


@dataclass
class Figures:
    """Collects what the benchmarks found."""

    long: bool
    found: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, reference: str, goal: str = "") -> None:
        """Note a figure: what it is, against what it was measured, and what it is meant to be."""
        assert value > 0, f"{name}: nothing was measured"
        self.found.append(Figure(name, value, unit, reference, goal))


_FIGURES: list[Figure] = []


@pytest.fixture(scope="session")
def figures(long_run: bool) -> Iterator[Figures]:
    """The table of this run."""
    table = Figures(long_run)
    yield table
    _FIGURES.extend(table.found)


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of one call, with the collector run before and not meanwhile."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turn(one: Callable[[], object], other: Callable[[], object], times: int) -> tuple[float, float]:
    """Median seconds of two pieces of work, measured A B A B, so that a drifting machine weighs on both."""
    first, second = [], []
    for _ in range(times):
        first.append(seconds_of(one))
        second.append(seconds_of(other))
    return statistics.median(first), statistics.median(second)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, and leave it as JSON where a file was asked for."""
    if not _FIGURES:
        return
    terminalreporter.section("figures")
    for one in _FIGURES:
        goal = f"   goal {one.goal}" if one.goal else ""
        terminalreporter.write_line(f"{one.name}: {one.value:.2f} {one.unit} against {one.reference}{goal}")
    file = HERE.parent.parent / ".benchmarks.json"
    file.write_text(json.dumps([asdict(one) for one in _FIGURES], indent=1), encoding="utf-8")
