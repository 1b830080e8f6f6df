"""What is printed, and how faults are shown."""

import io
import json
import re
import sys
from collections.abc import Callable
from typing import TypeAlias

import pytest

from connector_service.cli.faults import BUSY, NEEDS_PERSON, OUT_OF_REACH, WRONG, status_of, wrong
from connector_service.cli.output import Out, plural
from connector_service.domain import problems
from connector_service.domain.problems import ConnectorError
from connector_service.settings.faults import Fault, SettingsFaults

Narrow: TypeAlias = Callable[[], io.TextIOWrapper]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Narrow:
    """Puts in place a standard output that knows the characters of Western Europe only."""

    def put() -> io.TextIOWrapper:
        stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="")
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return put


def written(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def test_json_keeps_every_character_where_the_console_cannot(narrow: Narrow) -> None:
    stream = narrow()
    value = {"name": "Łódź ☃ \ud800 \x1b"}
    Out(True).document(value)
    assert json.loads(written(stream)) == value


def test_sentences_lose_what_the_console_lacks_and_what_would_steer_it(narrow: Narrow) -> None:
    stream = narrow()
    Out(False).say("Łódź Zoë\x1b[2J\u202e\nnext")
    assert written(stream).decode("cp1252") == "?ód? Zoë?[2J?\nnext\n"


@pytest.mark.parametrize("rows", [[], [{"a": 1}], [{"a": 1}, {"a": "é"}]])
def test_streamed_document_is_one_document(narrow: Narrow, rows: list[object]) -> None:
    stream = narrow()
    Out(True).streamed({"head": 1}, "rows", iter(rows), {"tail": [2]})
    assert json.loads(written(stream)) == {"head": 1, "rows": rows, "tail": [2]}


def test_streamed_document_may_end_with_its_list(narrow: Narrow) -> None:
    stream = narrow()
    Out(True).streamed({"head": 1}, "rows", iter([1]), {})
    assert json.loads(written(stream)) == {"head": 1, "rows": [1]}


def test_table_is_aligned_without_lines(narrow: Narrow) -> None:
    stream = narrow()
    Out(False).table(("Name", "Amount"), [("A", "9.00"), ("Long [bold]name", "1,000.00")], right=(1,))
    assert written(stream).decode("cp1252").splitlines() == [
        "Name               Amount",
        "A                    9.00",
        "Long [bold]name  1,000.00",
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (
            80,
            [
                "Id  Date        Party                                      Amount",
                " 1  2026-01-31  Gemeente Kampen, afd. Groen; Spelen  EUR 1,570.58",
            ],
        ),
        (
            50,
            [
                "Id  Date        Party                       Amount",
                " 1  2026-01-31  Gemeente Kampen, af…  EUR 1,570.58",
            ],
        ),
        (20, ["Id  Date        Party               Amount", " 1  2026-01-31  Gemeente Ka…  EUR 1,570.58"]),
    ],
)
def test_table_on_a_terminal_cuts_names_and_breaks_no_cell(
    monkeypatch: pytest.MonkeyPatch, columns: int, lines: list[str]
) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    row = ("1", "2026-01-31", "Gemeente Kampen, afd. Groen; Spelen", "EUR 1,570.58", "")
    Out(False).table(("Id", "Date", "Party", "Amount", "Code"), [row], right=(0, 3), loose=(2,))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert [line.rstrip() for line in plain.splitlines()] == lines


def test_nothing_for_people_stands_in_json(narrow: Narrow) -> None:
    stream = narrow()
    out = Out(True)
    out.say("words")
    out.table(("A",), [("1",)])
    assert written(stream) == b""


def test_fault_is_told_to_machine_and_person(narrow: Narrow, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = narrow()
    words = io.StringIO()
    monkeypatch.setattr(sys, "stderr", words)
    fault = SettingsFaults("connector.toml", [Fault("service.port", "It is too large.", "", "Write less.", 2)])
    Out(True).fault(fault)
    shown = json.loads(written(stream))["error"]
    assert (shown["code"], shown["faults"][0]["place"], shown["faults"][0]["line"]) == (
        "SETTINGS_WRONG",
        "service.port",
        2,
    )
    assert "It is too large." in words.getvalue()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (problems.Busy("x"), BUSY),
        (problems.SettingsFault("x"), WRONG),
        (wrong("x"), WRONG),
        (problems.NeedsUser("x", code="NOT_FOUND"), WRONG),
        (problems.Conflict("x", code="NOT_POSSIBLE_NOW"), WRONG),
        (problems.RetryLater("x"), OUT_OF_REACH),
        (problems.NeedsUser("x", code="GRANT_DEAD"), OUT_OF_REACH),
        (problems.Stop("x"), NEEDS_PERSON),
        (problems.Refused("x"), NEEDS_PERSON),
        (problems.OutcomeUnknown("x"), NEEDS_PERSON),
        (problems.Conflict("x", code="OUTCOME_UNKNOWN"), NEEDS_PERSON),
    ],
)
def test_exit_status_of_each_fault(fault: ConnectorError, status: int) -> None:
    assert status_of(fault) == status


def test_counts_have_their_word() -> None:
    assert [plural(1, "record"), plural(0, "record"), plural(1204, "entry", "entries")] == [
        "1 record",
        "0 records",
        "1,204 entries",
    ]
