"""Raw values become exact ones, or are refused: nothing in between."""

# ruff: noqa: DTZ001 - the source's own clock has no zone

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector_service.sources.shared.values import (
    BadValueError,
    as_text,
    clock_of,
    day_of,
    flag_of,
    moment_of,
    needed,
    number_of,
    parse_number,
    seconds_of,
    text_column,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CENT = Decimal("0.01")
money = number_of("", CENT, None)
plain = number_of("", None, None)


@given(st.integers(-(10**13), 10**13))
def test_a_float_that_stands_for_cents_is_those_cents(cents: int) -> None:
    assert money(cents / 100) == Decimal(cents) / 100


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
@example(2.675)
@example(1.005)
@example(-0.0)
@example(0.1 + 0.2)
def test_a_float_as_money_is_its_shortest_decimal_rounded_half_up(value: float) -> None:
    read = money(value)
    assert read == Decimal(repr(value)).quantize(CENT, ROUND_HALF_UP)
    assert not str(read).startswith("-0.00")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_a_float_as_a_number_has_no_binary_digits(value: Decimal) -> None:
    assert plain(float(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4), st.integers())
def test_decimals_and_integers_go_through_unchanged(exact: Decimal, whole: int) -> None:
    for column in (money, plain):
        assert column(exact) is exact
        assert column(whole) == whole
        assert column(str(whole)) == whole


@pytest.mark.parametrize("mark", [".", ","])
@given(cents=st.integers(-(10**12), 10**12), sign=st.sampled_from(["", "'", "\u00a0", "\u202f", " ", "other"]))
def test_texts_with_thousands_apart_come_back(mark: str, cents: int, sign: str) -> None:
    other = {".": ",", ",": "."}[mark]
    text = f"{Decimal(cents) / 100:,.2f}".replace(",", "\0").replace(".", mark)
    assert parse_number(text.replace("\0", other if sign == "other" else sign), mark) == Decimal(cents) / 100


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("1,234.56", ""),
        ("1,5", ""),
        ("1.234,56", "."),
        ("1,23,456.00", "."),
        ("1.23", ","),
        ("1.2345", ","),
        ("12.34.56", ","),
        ("1 234'567", "."),
        ("1e5", ""),
        ("NaN", ""),
        ("Infinity", "."),
        ("1_000", ""),
        ("٣", ""),
        ("€ 5", ","),
        ("5-", ""),
        ("(5)", ""),
        ("--5", ""),
        (".", ""),
        ("", ","),
    ],
)
def test_texts_that_are_no_plain_number_are_refused(text: str, mark: str) -> None:
    with pytest.raises(BadValueError) as caught:
        parse_number(text, mark)
    assert repr(text) in caught.value.what


def test_a_comma_without_a_decimal_mark_says_what_to_put_into_the_profile() -> None:
    with pytest.raises(BadValueError) as caught:
        money("12,50")
    assert "decimal" in caught.value.fix


@pytest.mark.parametrize("value", [True, date(2026, 1, 1), object(), [1], b"\xff", float("nan"), float("-inf"), 1e26])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(BadValueError):
        money(value)


@given(st.lists(st.one_of(st.floats(-1e19, 1e19), st.integers(), st.none())))
def test_many_are_the_same_as_one_by_one(cells: list[Any]) -> None:
    for column in (money, plain, number_of("", CENT, Decimal(0))):
        assert list(column.many(cells)) == [column.one(cell) for cell in cells]


@given(st.lists(st.one_of(st.text(), st.integers(), st.none())))
def test_many_texts_are_the_same_as_one_by_one(cells: list[Any]) -> None:
    assert list(text_column().many(cells)) == [as_text(cell) for cell in cells]


@pytest.mark.parametrize("cells", [["a", ""], ["a", "  "], [None], [""], ["a", 5, None]])
def test_a_column_that_must_have_a_value_refuses_empty_ones(cells: list[Any]) -> None:
    with pytest.raises(BadValueError, match="empty"):
        needed(text_column()).many(cells)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  C1 \t", "C1"),
        (None, ""),
        (1001, "1001"),
        (1001.0, "1001"),
        (12.5, "12.5"),
        (1e22, "10000000000000000000000"),
        (Decimal("8000.00"), "8000"),
        (Decimal("8E+3"), "8000"),
        ("é".encode(), "é"),
        (memoryview(b"x"), "x"),
        (date(2026, 11, 20), "2026-11-20"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_texts(raw: Any, text: str) -> None:
    assert as_text(raw) == text


@pytest.mark.parametrize("raw", [b"\xff\xfe", float("nan"), float("inf"), Decimal("NaN"), True, object()])
def test_what_is_no_text_is_refused(raw: Any) -> None:
    with pytest.raises(BadValueError):
        as_text(raw)


YES = [1, 1.0, Decimal(1), True, "1", "true", "TRUE", "True", " yes ", "Y", "y", "t", "T", "yEs", b"\x01", b"1"]
NO = [0, 0.0, Decimal(0), False, "0", "false", "FALSE", " no ", "N", "n", "f", "F", "nO", b"\x00", b"0"]


def test_flags() -> None:
    for default in (True, False, None):
        flag = flag_of(default)
        assert [flag(value) for value in YES] == [True] * len(YES)
        assert [flag(value) for value in NO] == [False] * len(NO)
        assert flag(None) is flag("") is flag("  ") is default
        assert all(type(value) is bool for value in flag.many([0, 1, 1]))
    for bad in (2, -1, "maybe", "ja", float("nan"), date(2026, 1, 1), [1]):
        with pytest.raises(BadValueError):
            flag_of(False)(bad)


@given(st.dates())
def test_a_plain_date_is_never_shifted(day: date) -> None:
    for zone in (AMSTERDAM, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Los_Angeles")):
        column = day_of("", zone)
        midnight = datetime(day.year, day.month, day.day)
        for raw in (day, day.isoformat(), midnight, f" {day}T23:59:59", f"{day} 00:00:00.000"):
            assert column(raw) == day


@given(
    st.datetimes(
        min_value=datetime(1900, 1, 1),
        max_value=datetime(2200, 1, 1),
        timezones=st.sampled_from([UTC, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")]),
    )
)
def test_an_instant_becomes_the_date_that_it_has_in_the_zone(moment: datetime) -> None:
    column = day_of("", AMSTERDAM)
    assert column(moment) == column(moment.isoformat()) == moment.astimezone(AMSTERDAM).date()


@pytest.mark.parametrize("raw", [20261120, 45000, 45000.0, "20/11/2026", "2026-13-01", "soon", True, time(1)])
def test_dates_are_not_guessed(raw: Any) -> None:
    with pytest.raises(BadValueError) as caught:
        day_of("", AMSTERDAM)(raw)
    assert "date_format" in caught.value.fix


def test_dates_in_the_form_of_the_profile_only() -> None:
    column = day_of("%d/%m/%Y", AMSTERDAM)
    assert column("03/11/2026") == date(2026, 11, 3)
    assert column(date(2026, 11, 3)) == date(2026, 11, 3)
    assert column("") is column(None) is column("0000-00-00") is None
    with pytest.raises(BadValueError, match=r"%d/%m/%Y"):
        column("2026-11-03")


@given(st.datetimes())
def test_a_moment_without_a_zone_is_kept(moment: datetime) -> None:
    column = moment_of("")
    assert column(moment) == column(moment.isoformat()) == column(moment.isoformat(" ")) == moment


def test_moments() -> None:
    column = moment_of("")
    assert column("2026-11-20T10:00:00+02:00") == datetime(2026, 11, 20, 10)
    assert column(date(2026, 11, 20)) == datetime(2026, 11, 20)
    aware = column(datetime(2026, 11, 20, 10, tzinfo=AMSTERDAM))
    assert aware == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert column(None) is column("") is column("0000-00-00 00:00:00") is None
    assert moment_of("epoch")(1795255200) == moment_of("epoch")("1795255200") == datetime(2026, 11, 21, 10)
    assert moment_of("epoch_ms")(1795255200500) == datetime(2026, 11, 21, 10, 0, 0, 500000)
    for bad in (1795255200, 5.5, "soon", True, b"\x00\x00\x00\x07"):
        with pytest.raises(BadValueError) as caught:
            column(bad)
        assert "since_format" in caught.value.fix


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        (90, 5400),
        ("7.5", 450),
        (7.5, 450),
        (Decimal("0.1"), 6),
        ("1:30", 5400),
        ("25:00:30", 90030),
        (timedelta(hours=30, seconds=1), 108001),
        (time(1, 30), 5400),
    ],
)
def test_lengths_of_time(raw: Any, seconds: int) -> None:
    assert seconds_of("")(raw) == seconds


@pytest.mark.parametrize("raw", ["1:60", "1h", True, datetime(2026, 1, 1), "1:3"])
def test_lengths_of_time_are_not_guessed(raw: Any) -> None:
    with pytest.raises(BadValueError):
        seconds_of("")(raw)


def test_clocks() -> None:
    column = clock_of(AMSTERDAM)
    assert column("9:15") == column("09:15:00") == column(time(9, 15)) == column(timedelta(hours=9, minutes=15))
    assert column("2026-11-20 22:15") == datetime(2026, 11, 20, 22, 15)
    assert column(datetime(2026, 11, 20, 21, 15, tzinfo=UTC)) == datetime(2026, 11, 20, 22, 15)
    assert column(None) is column(" ") is None
    for bad in (9, 0.4, "noon", "2026-11-20", date(2026, 11, 20), timedelta(days=2), "25:00"):
        with pytest.raises(BadValueError):
            column(bad)
