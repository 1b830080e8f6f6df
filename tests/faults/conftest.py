"""Homes that are copied from a template, and a warm process that can be ended at any moment."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.shop import make_home

WORKER: Final = Path(__file__).with_name("worker.py")


class Worker:
    """Does work in processes of its own that end as ordered."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"CONNECTOR_VAULT": "file"},
            text=True,
        )
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __call__(self, home: Path, *steps: str, **order: Any) -> dict[str, Any]:
        """Carry out steps; returns the exit status, the seconds that it took, and what each step answered."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"home": str(home), "steps": steps, **order}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def done(self, home: Path, *steps: str, **order: Any) -> list[dict[str, Any]]:
        """Carry out steps that must not break; returns what each answered."""
        answer = self(home, *steps, **order)
        assert answer["status"] == 0, answer
        steps_done: list[dict[str, Any]] = answer["steps"]
        return steps_done

    def finish(self, home: Path) -> None:
        """A run that must end with nothing left to do."""
        (done,) = self.done(home, "sync")
        assert done["exit"] == 0, done

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """The warm process."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork a process")
    one = Worker()
    yield one
    one.close()


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A folder on a disk in memory where there is one: what a kill leaves behind is the same there, and sooner."""
    memory = Path("/dev/shm")
    base = (
        memory if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30 else None
    )
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=base))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(place: Path) -> Callable[[int, int], Path]:
    """Data folders with so many documents that go out in batches of so many; made once, to be copied."""

    def make(documents: int, batch_size: int) -> Path:
        folder = place / f"template-{documents}-{batch_size}"
        return folder if folder.exists() else make_home(folder, documents, batch_size)

    return make


@pytest.fixture
def new_home(place: Path, template: Callable[[int, int], Path]) -> Iterator[Callable[..., Path]]:
    """A data folder of its own with a fresh shop."""
    made = Path(tempfile.mkdtemp(prefix="home-", dir=place))

    def copy(documents: int = 60, batch_size: int = 8) -> Path:
        home = made / f"home-{len(list(made.iterdir()))}"
        return Path(shutil.copytree(template(documents, batch_size), home))

    yield copy
    shutil.rmtree(made)


@pytest.fixture(autouse=True)
def secrets_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the trail is kept in the data folder."""
    monkeypatch.setenv("CONNECTOR_VAULT", "file")
