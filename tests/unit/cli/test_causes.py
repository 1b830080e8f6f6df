"""Documents that need a person, by cause: each document has its own why and fix where they differ."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pytest

from connector_service.cli.causes import Causes, label
from connector_service.cli.output import Out
from connector_service.domain.kinds import Kind, State
from connector_service.domain.problems import Problem


@dataclass
class Shown:
    """A row of a report."""

    id: int
    problems: tuple[Problem, ...]
    number: str = "INV-1"
    party: str = "Acme BV"
    currency: str = "EUR"
    key: str = "1"
    kind: Kind = Kind.SALES_INVOICE
    state: State = State.DRIFTED
    date: dt.date | None = None
    total: Decimal = Decimal("1250.5")
    status_code: str = ""
    remote_id: str = ""
    flags: tuple[str, ...] = ()


def problem(why: str, fix: str) -> Problem:
    return Problem("CHANGED_AT_SOURCE", "It was changed.", why, fix, "", ())


def said(capsys: pytest.CaptureFixture[str], *rows: Shown) -> list[str]:
    Causes().take_all(rows).say(Out(False), "main")
    return capsys.readouterr().out.splitlines()[2:]


def test_what_all_share_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Shown(number, (problem("The note differs.", "Decide."),)) for number in (1, 2)]
    assert said(capsys, *rows) == [
        "  1 sales invoice INV-1, Acme BV, EUR 1,250.50: It was changed.",
        "  2 sales invoice INV-1, Acme BV, EUR 1,250.50: It was changed.",
        "  The note differs.",
        "  Decide.",
    ]


def test_what_differs_stands_with_its_document(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Shown(1, (problem("The note differs.", "Decide."),)), Shown(2, (problem("The total differs.", "Decide."),))]
    assert said(capsys, *rows) == [
        "  1 sales invoice INV-1, Acme BV, EUR 1,250.50: It was changed.",
        "    The note differs.",
        "  2 sales invoice INV-1, Acme BV, EUR 1,250.50: It was changed.",
        "    The total differs.",
        "  Decide.",
    ]


def test_a_label_has_only_what_is_known() -> None:
    assert label(Shown(7, (), number="a.xml", party="", currency="")) == "7 sales invoice a.xml"
