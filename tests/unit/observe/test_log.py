import io
import logging
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connector_service.observe import HIDDEN, Redactor, log, set_up

ours = logging.getLogger("connector_service.engine.push")


PASSWORD = "hunter2" * 2
MAIL = "ann@example.com"


class Logging:
    """Logging set up for one test, with what came of it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "logs" / "connector.log"
        self.console = io.StringIO()
        self.redactor = Redactor()
        self.troubles: list[OSError] = []
        self.end: Callable[[], None] = lambda: None

    def start(self, **settings: object) -> None:
        self.end = set_up(
            self.file, redactor=self.redactor, console=self.console, on_trouble=self.troubles.append, **settings  # type: ignore[arg-type]
        )  # fmt: skip

    @property
    def text(self) -> str:
        return self.file.read_text("utf-8")


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logging]:
    made = Logging(tmp_path)
    made.start()
    yield made
    made.end()


def test_an_entry_can_be_read_and_names_its_part(logged: Logging) -> None:
    ours.info("%d of %d exported", 117, 120, extra={"route": "main", "run": 17})
    assert re.fullmatch(
        r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d \| INFO     \| connector_service\.engine\.push \|"
        r" 117 of 120 exported  route=main run=17\n",
        logged.text,
    )


def test_libraries_are_heard_when_something_is_wrong_only(logged: Logging) -> None:
    logging.getLogger("some_library").info("chatter")
    logging.getLogger("some_library").warning("trouble")
    ours.debug("detail")
    assert "trouble" in logged.text
    assert "chatter" not in logged.text
    assert "detail" not in logged.text


def _raise(password: str) -> None:
    unseen = password * 2
    try:
        raise ValueError(f"password={password}")
    except ValueError as fault:
        raise RuntimeError(f"Authorization: Bearer {password} for {MAIL}, not {len(unseen)}") from fault


def test_stack_traces_go_to_the_file_without_secrets_and_never_to_the_console(logged: Logging) -> None:
    secret = "known" + "-secret"
    logged.redactor.add(secret)
    try:
        _raise(PASSWORD)
    except RuntimeError:
        ours.exception("The route main stopped; %s.", secret)
    assert "Traceback" in logged.text
    assert "RuntimeError" in logged.text
    assert "ValueError" in logged.text
    assert "test_log.py" in logged.text
    assert logged.console.getvalue() == f"The route main stopped; {HIDDEN}.\n"
    for leaked in (PASSWORD, MAIL, secret):
        assert leaked not in logged.text
        assert leaked not in logged.console.getvalue()


def test_secrets_are_hidden_in_message_values_and_extra(logged: Logging) -> None:
    logged.redactor.add("s3cr3t-value")
    ours.warning(
        "asked %s",
        "https://u:pw12345@host/",
        extra={"api_key": "plain", "answer": {"token": "t0ken", "note": "s3cr3t-value"}},
    )
    for leaked in ("pw12345", "plain", "t0ken", "s3cr3t-value"):
        assert leaked not in logged.text
        assert leaked not in logged.console.getvalue()


def test_text_from_elsewhere_cannot_forge_an_entry(logged: Logging) -> None:
    forged = "2026-01-01 00:00:00.000 +00:00 | INFO     | connector_service | all fine"
    hostile = f"x\n{forged}\r\n{forged}\r{forged}\x1b[2J\x00\u2028{forged}\u202e\udc80"
    ours.warning(hostile, extra={"key": hostile})
    try:
        raise ValueError(hostile)
    except ValueError:
        ours.exception("held")
    entries = [line for line in logged.text.splitlines() if line.startswith("20")]
    assert len(entries) == 2
    assert "all fine" not in entries[1]
    for sign in "\x1b\x00\r\u2028\u202e":
        assert sign not in logged.text
        assert sign not in logged.console.getvalue()
    assert "\\x1b" in logged.text


@pytest.mark.parametrize("text", ["{}", "{0} {name}", "{message}", "<red>x</red>", "%s", "100 %", "{extra[route]}"])
def test_signs_of_templates_are_plain_text(logged: Logging, text: str) -> None:
    ours.warning(text, extra={"note": text})
    assert f"| {text}  note={text}\n" in logged.text


def test_a_call_with_wrong_values_is_still_written_and_nothing_is_printed(
    logged: Logging, capfd: pytest.CaptureFixture[str]
) -> None:
    ours.warning("%d and %d", 1)
    ours.warning("%d", "x")
    assert "%d and %d" in logged.text
    assert "%d ('x',)" in logged.text
    assert capfd.readouterr().err == ""


def test_a_very_long_entry_is_cut_and_says_so(logged: Logging) -> None:
    ours.warning("x" * 1_000_000)
    assert len(logged.text) < 25_000
    assert "(980000 more characters)" in logged.text


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_the_file_is_for_its_owner_only(logged: Logging) -> None:
    ours.info("x")
    assert stat.S_IMODE(logged.file.stat().st_mode) == 0o600


def test_large_files_are_put_aside(logged: Logging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LARGEST", 2000)
    monkeypatch.setattr(log, "_AGAIN_AFTER", 0)
    for number in range(60):
        ours.info("entry %d", number)
    files = sorted(logged.file.parent.iterdir())
    assert len(files) > 2
    assert all(file.stat().st_size <= 2000 for file in files)
    whole = "".join(file.read_text() for file in files)
    assert all(f"entry {number}\n" in whole for number in range(60))


def test_a_new_day_has_a_new_file_and_old_ones_go(logged: Logging) -> None:
    ours.info("of yesterday")
    logged.end()
    yesterday = (datetime.now().astimezone() - timedelta(days=1)).timestamp()
    os.utime(logged.file, (yesterday, yesterday))
    old = logged.file.with_name("connector.2025-01-01_00-00-00_000000.log")
    kept = logged.file.with_name("connector.2025-01-02_00-00-00_000000.log")
    for file, days in ((old, 31), (kept, 29)):
        file.write_text("old")
        at = (datetime.now().astimezone() - timedelta(days=days)).timestamp()
        os.utime(file, (at, at))
    logged.start(retention_days=30)
    ours.info("of today")
    ours.info("of today again")
    assert "of yesterday" not in logged.text
    assert logged.text.count("of today") == 2
    assert not old.exists()
    assert kept.exists()
    assert len(list(logged.file.parent.iterdir())) == 3


def test_a_log_that_cannot_be_written_stops_nothing_and_is_told_once(
    logged: Logging, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ours.info("before")

    def full(_: object) -> os.stat_result:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fstat", full)
        ours.info("lost")
        ours.info("lost too")
    ours.info("after")
    assert [fault.errno for fault in logged.troubles] == [28]
    assert "before" in logged.text
    assert "after" in logged.text
    assert capfd.readouterr().err == ""


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in the way")
    made = Logging(tmp_path)
    made.start()
    try:
        ours.warning("to the console all the same")
    finally:
        made.end()
    assert len(made.troubles) == 1
    assert "all the same" in made.console.getvalue()


def test_a_closed_console_stops_nothing(logged: Logging, capfd: pytest.CaptureFixture[str]) -> None:
    logged.console.close()
    ours.warning("to the file all the same")
    assert "all the same" in logged.text
    assert capfd.readouterr().err == ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_by_a_fault_is_in_the_log(logged: Logging, capfd: pytest.CaptureFixture[str]) -> None:
    def end() -> None:
        raise ValueError(f"password={PASSWORD}")

    thread = threading.Thread(target=end, name="flusher")
    thread.start()
    thread.join()
    assert "ended unexpectedly: flusher" in logged.text
    assert "ValueError" in logged.text
    assert PASSWORD not in logged.text
    assert "Traceback" not in logged.console.getvalue() + capfd.readouterr().err


def test_setting_up_again_replaces_and_ending_ends(logged: Logging) -> None:
    logged.start()
    ours.info("once")
    assert logged.text.count("once") == 1
    logged.end()
    ours.info("nobody hears")
    assert "nobody hears" not in logged.text


def test_importing_loads_no_loguru() -> None:
    code = "import sys, connector_service.observe; sys.exit('loguru' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
