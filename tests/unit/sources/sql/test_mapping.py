"""What is bound never leaves a record out, whatever form the column has."""

# ruff: noqa: DTZ001, DTZ901 - the source's own clock has no zone

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.contract.source import Window
from connector_service.domain.kinds import Kind
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.values import moment_of
from connector_service.sources.sql.mapping import (
    day_value,
    formatted,
    head_query,
    probe_values,
    query_values,
    shortest_text,
    since_value,
)
from connector_service.sources.sql.wire import Dialect

QUERY = "select 1 where c >= :since and d >= :from_date and d <= :to_date;"


def table(**more: str) -> KindProfile:
    return KindProfile(kind=Kind.SALES_INVOICE, query=QUERY, **more)  # type: ignore[arg-type]


def forms(moment: datetime) -> list[str]:
    """Texts in which databases keep a moment, as exactly as each can."""
    texts = [moment.isoformat(mark, spec) for mark in " T" for spec in ("microseconds", "milliseconds", "seconds")]
    if not moment.second and not moment.microsecond:
        texts += [moment.isoformat(mark, "minutes") for mark in " T"]
    if moment.time() == datetime.min.time():
        texts.append(moment.date().isoformat())
    return [*texts, *(f"{text}Z" for text in texts if len(text) > 10)]


COARSE = st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(milliseconds=5), timedelta(seconds=1)])


@given(st.datetimes(), st.sampled_from(["", "second", "minute", "day"]), COARSE)
def test_no_text_of_the_same_or_a_later_moment_sorts_before_the_bound_one(
    moment: datetime, cut: str, later: timedelta
) -> None:
    if cut:
        moment = moment.replace(microsecond=0)
    if cut in ("minute", "day"):
        moment = moment.replace(second=0)
    if cut == "day":
        moment = moment.replace(hour=0, minute=0)
    column = moment_of("")
    for text in forms(moment):
        # The cursor is what was read, which a coarse text has cut already.
        seen = column(text)
        assert seen is not None
        bound = shortest_text(seen)
        assert bound <= text
        if moment < datetime.max - later:
            assert all(bound <= other for other in forms(moment + later) if column(other) >= seen)
        assert column(bound) <= seen
        assert seen - column(bound) < timedelta(seconds=1)


@given(st.datetimes())
def test_forms_of_a_profile_go_to_and_fro(moment: datetime) -> None:
    form = "%Y%m%d%H%M%S%f"
    text = formatted(moment, form)
    assert len(text) == 20
    assert moment_of(form)(text) == moment
    assert since_value(table(since_format=form), moment, Dialect.MSSQL) == text


@given(st.integers(-(10**10), 10**10))
def test_numbers_go_to_and_fro(seconds: int) -> None:
    for form, number in (("epoch", seconds), ("epoch_ms", seconds * 1000 + 7)):
        moment = moment_of(form)(number)
        bound = since_value(table(since_format=form), moment, Dialect.POSTGRESQL)
        assert isinstance(bound, int)
        assert number - 1 <= bound <= number


def test_typed_moments() -> None:
    moment, aware = datetime(2026, 11, 20, 10, 0, 0, 5), datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert since_value(table(), moment, Dialect.POSTGRESQL) == moment
    assert since_value(table(), aware, Dialect.POSTGRESQL) is aware
    assert since_value(table(), moment, Dialect.ODBC) == datetime(2026, 11, 20, 9, 59, 59)
    assert since_value(table(since_format="date"), moment, Dialect.POSTGRESQL) == date(2026, 11, 20)
    for dialect in (Dialect.SQLITE, Dialect.MYSQL, Dialect.MARIADB):
        assert since_value(table(), None, dialect) == "0001-01-01"


def test_windows_are_a_day_wider_for_queries_and_open_where_they_are_open() -> None:
    window = Window(date(2026, 11, 20), date(2026, 11, 21))
    values = query_values(table(), None, window, Dialect.SQLITE)
    assert (values["from_date"], values["to_date"]) == ("2026-11-19", "2026-11-22")
    values = query_values(table(), None, Window(), Dialect.POSTGRESQL)
    assert (values["from_date"], values["to_date"]) == (date(1, 1, 1), date(9999, 12, 31))
    probe = KindProfile(kind=Kind.SALES_INVOICE, probe="select count(*) where d >= :from_date")
    assert probe_values(probe, window, Dialect.SQLITE) == {"from_date": "2026-11-20"}


@pytest.mark.parametrize(
    ("dialect", "form", "bound"),
    [
        (Dialect.SQLITE, "", "0001-01-01"),
        (Dialect.POSTGRESQL, "", date(1, 1, 1)),
        (Dialect.MSSQL, "", datetime(1, 1, 1)),
        (Dialect.POSTGRESQL, "%Y%m%d", "00010101"),
    ],
)
def test_dates_as_the_database_compares_them(dialect: Dialect, form: str, bound: object) -> None:
    assert day_value(table(date_format=form), date(1, 1, 1), dialect) == bound


def test_heads_ask_for_their_columns_only() -> None:
    text = head_query(table(), ("total", "key", "note", "date"), lambda name: f"<{name}>")
    assert text.startswith("select <key>, <date>, <total> from (")
    assert ";" not in text
