"""The reference pages say what the code says."""

import pytest

from connector_service.domain.kinds import State
from tests.architecture.pages import EXITS, PARTS, STATES, pages, table, with_parts
from tests.architecture.tree import ROOT

AGAIN = "run `python3 dev.py docs`"


@pytest.mark.parametrize("name", sorted(pages()))
def test_page_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages()[name], AGAIN


@pytest.mark.parametrize("page", sorted({page for page, _ in PARTS}))
def test_made_parts_are_current(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == with_parts(page, text), AGAIN


def test_every_state_is_told() -> None:
    assert set(STATES) == set(State)


def test_exit_statuses_are_those_of_the_command_line() -> None:
    from connector_service.cli import faults

    names = ("DONE", "NEEDS_PERSON", "WRONG", "OUT_OF_REACH", "BUSY", "INTERNAL", "INTERRUPTED")
    assert [status for status, _ in EXITS] == [getattr(faults, name) for name in names]


def test_what_would_break_a_table_is_written_otherwise() -> None:
    assert list(table(("a",), [("x|y\nz",)])) == ["| a |", "|---|", "| x\\|y z |", ""]
