"""The command line as a user calls it: within this process for speed, or as a process of its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from connector_service.cli.main import main
from tests.system.shop import Shop, make_shop

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


class Commands:
    """Calls commands on one data folder."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.home = home
        self._capsys = capsys
        self._patch = patch

    def __call__(self, *arguments: str, given: bytes = b"") -> Answer:
        """Call a command in this process; ``given`` is its standard input."""
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        self._capsys.readouterr()
        status = main(["--home", str(self.home), *arguments])
        printed = self._capsys.readouterr()
        return Answer(status, printed.out, printed.err)

    def json(self, *arguments: str, given: bytes = b"") -> Any:
        """The JSON document of a command, whatever its exit status."""
        return self(*arguments, "--json", given=given).json

    def process(self, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a command as a process of its own, which can be sent signals."""
        return subprocess.Popen(
            [sys.executable, "-m", "connector_service", *arguments],
            cwd=ROOT,
            env={**os.environ, "CONNECTOR_HOME": str(self.home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that is not there yet; secrets are kept in a file of it."""
    monkeypatch.setenv("CONNECTOR_VAULT", "file")
    return tmp_path / "home"


@pytest.fixture
def connector(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Calls commands on the data folder."""
    return Commands(home, capsys, monkeypatch)


@pytest.fixture
def shop(home: Path) -> Shop:
    """A shop with three invoices, a bill and hours, all of which can be booked."""
    return make_shop(home)


@pytest.fixture
def start(connector: Commands) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start commands as processes; what is still running at the end of the test is ended."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        running.append(connector.process(*arguments, **environment))
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()
