"""The demo as a user runs it: what it does, what it says, and that what it says can be typed."""

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connector_service.demo.place import MARKER, SHOP_FILE
from tests.conftest import ROOT
from tests.system.demo import BEGIN, CONNECTOR, documents, once, query, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A demo that has synced once, and its report."""
    home = tmp_path_factory.mktemp("demo") / "home"
    return home, once(home)


def test_shop_and_books_reconcile(made: tuple[Path, dict[str, Any]]) -> None:
    """Two routes book into one company: what the other one has put there is no difference."""
    home, report = made
    done = run("reconcile", "shop", "--from", BEGIN, "--to", "2025-12-31", "--json", home=home)
    found = json.loads(done.stdout)
    held = {one["key"] for one in documents(report, "held") if one["status_code"] != "NUMBER_EXISTS"}
    assert {one["key"] for one in found["differences"]} == held
    assert found["by_others"] == 8
    assert found["equal"] == 178


def test_a_drop_folder_reconciles_with_what_it_has_handed_over(made: tuple[Path, dict[str, Any]]) -> None:
    home, report = made
    done = run("reconcile", "inbox", "--from", BEGIN, "--to", "2025-12-31", "--json", home=home)
    found = json.loads(done.stdout)
    held = {one["key"] for one in documents(report, "held") if one["status_code"] == "NUMBER_EXISTS"}
    assert {one["key"] for one in found["differences"]} == held
    assert found["equal"] == 8


def test_second_time_nothing_new_is_exported(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made[0], home)
    before = {file: file.read_bytes() for file in (home / "books").glob("*.beancount")}
    report = once(home)
    assert report["counts"]["exported"] == 0
    assert report["counts"]["held"] == 3
    assert {file: file.read_bytes() for file in (home / "books").glob("*.beancount")} == before


def test_it_is_the_same_each_time(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    again = tmp_path / "again"
    report = once(again)
    for statement in (
        f"select * from {table} order by 1, 2"
        for (table,) in query(again, "select name from sqlite_master where type = 'table'")
    ):
        assert query(again, statement) == query(made[0], statement)
    assert report["counts"] == made[1]["counts"]


def test_what_it_says_can_be_typed(tmp_path: Path) -> None:
    """Every command beside a held document is run as it stands; after that nothing waits any more."""
    home = tmp_path / "a demo & its home"
    done = run("demo", "--once", home=home)
    assert done.returncode == 1
    assert "178 of 180 exported, 2 held" in done.stdout
    assert "fava" in done.stdout
    typed = re.findall(r"^    (?:In the shop|Then|Press): +(.+)$", done.stdout, re.MULTILINE)
    assert len(typed) == 5
    for command in typed:
        assert subprocess.run(_here(command), cwd=ROOT, capture_output=True, text=True, check=False).returncode in (
            0,
            1,
        )
    waiting = json.loads(run("documents", "--state", "held", "--json", home=home).stdout)
    assert waiting["items"] == []
    again = run("demo", "--once", home=home)
    assert again.returncode == 0, again.stdout
    assert "Nothing new to export" in again.stdout


def _here(command: str) -> list[str]:
    """A command of the demo as this test can run it: its own Python for the installed program."""
    words = [str(Path(word).expanduser()) if word.startswith("~") else word for word in shlex.split(command)]
    return [*CONNECTOR, *words[1:]] if Path(words[0]).name == "connector" else words


def test_change_after_export_is_told_and_not_booked(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made[0], home)
    said = run("demo", "--once", home=home).stdout
    change = re.search(r"^ +(\S+ .*update Invoice set Note.*)$", said, re.MULTILINE)
    assert change
    assert subprocess.run(_here(change[1]), cwd=ROOT, check=False).returncode == 0
    report = json.loads(run("sync", "shop", "--json", home=home).stdout)
    assert [one["status_code"] for one in report["documents"] if one["state"] == "drifted"] == ["CHANGED_AT_SOURCE"]
    assert report["counts"]["exported"] == 0


def test_a_folder_that_is_not_a_demo_is_left_alone(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "connector.toml").write_text("# mine\n")
    done = run("demo", "--once", "--json", home=real)
    assert done.returncode == 2
    assert "is not the demo's" in json.loads(done.stdout)["error"]["what"]
    assert [file.name for file in real.iterdir()] == ["connector.toml"]
    assert (real / "connector.toml").read_text() == "# mine\n"
    file = tmp_path / "file"
    file.write_text("x")
    assert run("demo", "--once", home=file).returncode == 2
    assert file.read_text() == "x"


def test_the_folder_of_real_work_is_passed_by(tmp_path: Path) -> None:
    real, own = tmp_path / "real", tmp_path / "user"
    real.mkdir()
    environment = {**os.environ, "CONNECTOR_HOME": str(real), "HOME": str(own), "XDG_DATA_HOME": str(own / "share")}
    done = run("demo", "--once", env=environment)
    assert done.returncode == 1, done.stderr
    assert not list(real.iterdir())
    assert (own / "share" / "connector-service-demo" / MARKER).is_file()


def test_a_making_that_was_cut_off_is_made_anew(tmp_path: Path, made: tuple[Path, dict[str, Any]]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(made[0] / MARKER, home)
    (home / ".shop.db.new").write_bytes(b"half")
    assert once(home)["counts"] == made[1]["counts"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--once", "--target", "xero"], "xero"),
        (["--json"], "--once"),
    ],
)
def test_what_it_cannot_do_is_said(words: list[str], what: str, tmp_path: Path) -> None:
    done = run("demo", *words, home=tmp_path / "home")
    assert done.returncode == 2
    assert what in done.stdout + done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of a console are sent otherwise on Windows")
def test_it_stays_and_tells_what_happens_until_ctrl_c(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made[0], home)
    settings = home / "connector.toml"
    settings.write_text(settings.read_text().replace("interval_seconds = 10", "interval_seconds = 1"))
    words = [*CONNECTOR, "demo", "--home", str(home), "--no-browser", "--port", "0"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1, env=_unbuffered()) as process:
        assert process.stdout is not None
        try:
            _until(process.stdout, "Ctrl-C ends the demo")
            with closing(sqlite3.connect(home / SHOP_FILE)) as shop:
                shop.execute("update TimeEntry set Approved = 1 where Approved = 0")
                shop.commit()
            assert "shop: 1 of 2 exported" in _until(process.stdout, "shop:")
            # The folder is free between two runs: a person can press what the demo says.
            held = json.loads(run("documents", "--code", "NUMBER_EXISTS", "--json", home=home).stdout)["items"]
            assert _patiently("documents", "mark", str(held[0]["id"]), home=home) == 0
            process.send_signal(signal.SIGINT)
            _until(process.stdout, "The demo has ended")
            assert process.wait(30) == 130
        finally:
            process.kill()


def _unbuffered() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def _until(lines: Any, text: str) -> str:
    for line in lines:
        if text in line:
            return str(line)
    raise AssertionError(f"the demo ended without saying {text!r}")


def _patiently(*words: str, home: Path) -> int:
    """Run a command, again where a run of the demo has the folder in that moment."""
    for _ in range(20):
        status = run(*words, home=home).returncode
        if status != 4:
            return status
    return 4
