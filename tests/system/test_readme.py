"""Every command of the README runs as it stands there, and what is shown below it is what it prints.

A line `…` stands for lines that are left out. What depends on the machine is made the same on both sides: where the
programs are, ids, and the program by which the shop is changed.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from connector_service.demo.place import SHOP_FILE, claim, make
from connector_service.paths import Paths
from tests.conftest import ROOT

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
OMITTED: Final = "…"
DATA: Final = Path(".local/share")
# The two commands that set things up themselves: the first is run without the setting up, the second is this very run.
DEMO: Final = "python3 dev.py demo"
TESTS: Final = "python3 dev.py test"
CONNECTOR: Final = [sys.executable, "-m", "connector_service"]
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHANGE: Final = re.compile(r"^(\s*(?:In the shop: )?)\S.*?(update \w+ set .*? where \w+ = ['\w-]+).*$")
_PROGRAM: Final = re.compile(r"(?:\S*[/\\])?connector(?:\.exe)? (?=\w+ )")


@dataclass
class Typed:
    """A command, and the output that the page shows for it."""

    command: str
    shown: list[str] = field(default_factory=list)


def blocks(kind: str) -> list[str]:
    """The fenced blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def typed(block: str) -> list[Typed]:
    """The commands of a block."""
    found: list[Typed] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Typed(line[2:]))
        else:
            found[-1].shown.append(line)
    return found


def alike(line: str) -> str:
    """A line without what depends on the machine."""
    return _PROGRAM.sub("connector ", _CHANGE.sub(r"\1\2", _ID.sub("ID", line))).rstrip()


def differs(shown: list[str], printed: str) -> str:
    """The first shown line that is not where it should be, or ""."""
    lines = [alike(line) for line in printed.splitlines()]
    at, free = 0, False
    for line in shown:
        if line == OMITTED:
            free = True
            continue
        wanted = alike(line)
        place = next((i for i in range(at, len(lines)) if lines[i] == wanted), None)
        if place is None or (place != at and not free):
            return line
        at, free = place + 1, False
    return "" if free or at == len(lines) else f"(more is printed: {lines[at]})"


class Desk:
    """A user's computer: a home of its own, and the commands as the README has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_DATA_HOME": "",
            "PYTHONPATH": str(ROOT),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        self.environment.pop("CONNECTOR_HOME", None)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run one command."""
        if command.startswith(DEMO):
            words = [*CONNECTOR, "demo", *shlex.split(command.removeprefix(DEMO))]
        else:
            words = shlex.split(command)
            words = [*CONNECTOR, *words[1:]] if words[0] == "connector" else words
        words = [str(self.folder / word[2:]) if word.startswith("~/") else word for word in words]
        if words[0] == "bean-check":
            words = [sys.executable, "-m", "beancount.scripts.check", *words[1:]]
        return subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A home in which the README's own routes are set up beside a copy of the sample shop."""
    if os.name == "nt":
        pytest.skip("the README shows the commands of Linux and macOS")
    found = Desk(tmp_path_factory.mktemp("user"))
    own = found.folder / DATA / "connector-service"
    other = Paths.locate(found.folder / "shop")
    claim(other)
    make(other, lambda _words: None)
    own.mkdir(parents=True)
    shutil.copy(other.home / SHOP_FILE, own / SHOP_FILE)
    (own / "inbox").mkdir()
    (own / "connector.toml").write_text(blocks("toml")[0], encoding="utf-8")
    return found


def test_settings_of_the_readme_are_right(desk: Desk) -> None:
    assert set(tomllib.loads(blocks("toml")[0])["routes"]) == {"main", "post"}
    done = desk.run("connector check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_commands_run_and_print_what_is_shown(desk: Desk) -> None:
    """In the order of the page, on one computer."""
    ran = []
    for one in (one for block in blocks("console") for one in typed(block)):
        if one.command == TESTS:
            continue
        program = shlex.split(one.command)[0]
        if program == "hledger" and not shutil.which(program):
            continue
        done = desk.run(one.command)
        assert done.returncode in (0, 1), f"{one.command}\n{done.stdout}{done.stderr}"
        assert not differs(one.shown, done.stdout), f"{one.command}\n{done.stdout}{done.stderr}"
        ran.append(program)
    assert len(ran) >= 9


def test_books_look_as_shown(desk: Desk) -> None:
    desk.run("connector demo --once")
    shown = blocks("beancount")[0].splitlines()
    file = desk.folder / DATA / "connector-service-demo" / "books" / f"{shown[0][:4]}.beancount"
    text = file.read_text(encoding="utf-8")
    entry = text[text.index(shown[0]) :].split("\n\n")[0]
    assert not differs(shown, entry)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
    named = re.findall(r"`((?:config|docs|tests)/[\w./-]+)`", README)
    assert not [name for name in named if not (ROOT / name).exists()]


SHOWN: Final[list[tuple[list[str], str, str]]] = [
    (["a", OMITTED, "c"], "a\nb\nc\n", ""),
    (["a", "c"], "a\nb\nc\n", "c"),
    ([OMITTED], "anything\n", ""),
    ([], "more\n", "(more is printed: more)"),
    (["a"], "a\nb\n", "(more is printed: b)"),
    (["  Then: .venv/bin/connector sync shop --home x"], "  Then: connector sync shop --home x\n", ""),
    (
        ["    In the shop: sqlite3 ~/shop.db \"update A set B = 1 where C = 'D-1'\""],
        "    In the shop: python -m sqlite3 ~/shop.db \"update A set B = 1 where C = 'D-1'\"\n",
        "",
    ),
]


@pytest.mark.parametrize(("shown", "printed", "found"), SHOWN)
def test_comparison_sees(shown: list[str], printed: str, found: Any) -> None:
    assert differs(shown, printed) == found
