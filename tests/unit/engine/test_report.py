"""What a run did, in words."""

from typing import Any

import pytest

from connector_service.engine.report import counts_json, run_in_words

TOTALS: dict[str, Any] = {
    "sales_invoice": {
        "EUR": {"source": "10450.20", "exported": "10200.00"},
        "JPY": {"source": "12000", "exported": "12000"},
    },
    "vendor_bill": {"EUR": {"source": "1.00", "exported": "0.00"}},
    "time_record": {"minutes": {"source": "90", "exported": "61"}},
}


def test_numbers_and_amounts_are_said() -> None:
    counts = {"read": 120, "exported": 117, "held": 2, "refused": 1}
    assert run_in_words(counts, TOTALS, "Journal") == (
        "117 of 120 exported, 2 held, 1 refused by Journal."
        " EUR 10,200.00 of EUR 10,451.20, JPY 12,000 of JPY 12,000, 1 h 01 min of 1 h 30 min of time."
    )


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "Nothing to do: no record is new or changed."),
        ({"read": 7, "unchanged": 7}, "Nothing to do: 7 read, none of them new or changed."),
        ({"read": 5, "marked": 5}, "5 marked as exported before."),
        (
            {"read": 3, "exported": 1, "marked": 1, "ignored": 1},
            "1 of 1 exported, 1 marked as exported before, 1 ignored.",
        ),
        ({"read": 1, "drifted": 1}, "0 of 1 exported, 1 changed at the source since their export."),
        ({"read": 1, "in_doubt": 1}, "0 of 1 exported, 1 in doubt."),
    ],
)
def test_each_state_has_its_words(counts: dict[str, int], words: str) -> None:
    assert run_in_words(counts, {}, "Journal") == words


def test_plan_speaks_of_what_would_be() -> None:
    assert (
        run_in_words({"read": 3, "waiting": 2, "held": 1}, {}, "X", planned=True) == "2 of 3 would be exported, 1 held."
    )


def test_counts_have_every_state_once() -> None:
    shown = counts_json({"read": 1, "held": 1})
    assert len(shown) == 16
    assert (shown["held"], shown["gone"], shown["unchanged"]) == (1, 0, 0)
