"""Rows become documents: grouped by key, exact, and each fault with its place."""

# ruff: noqa: DTZ001 - the source's own clock has no zone

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.domain.documents import SalesInvoice, SourceRecord, TimeRecord, Unreadable
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.problems import SettingsFault
from connector_service.sources.shared.heads import HeadBuilder, head_fields, head_of
from connector_service.sources.shared.parties import PartyBuilder
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.records import RecordBuilder
from connector_service.sources.shared.seen import SeenKeys

ZONE = ZoneInfo("Europe/Amsterdam")
FIELDS = ("key", "number", "date", "party_key", "currency", "total", "tax_total", "line.description", "line.amount")


def table(kind: Kind | PartyKind = Kind.SALES_INVOICE, **more: Any) -> KindProfile:
    return KindProfile(kind=kind, place=f"shop.toml, [{kind}]", **more)


def row(key: Any = "1", total: Any = 10, text: Any = "x", amount: Any = 10, **more: Any) -> tuple[Any, ...]:
    cells = {
        "key": key,
        "number": f"N{key}",
        "date": "2026-11-20",
        "party_key": "C1",
        "currency": "EUR",
        "total": total,
        "tax_total": 0,
        "line.description": text,
        "line.amount": amount,
        **{name.replace("line_", "line."): value for name, value in more.items()},
    }
    return tuple(cells.values())


def build(rows: list[tuple[Any, ...]], fields: tuple[str, ...] = FIELDS, **more: Any) -> list[SourceRecord]:
    return list(RecordBuilder(table(**more), fields, ZONE).records(iter(rows)))


def unreadable(record: SourceRecord) -> Unreadable:
    assert isinstance(record, Unreadable)
    assert record.reason.startswith("Profile shop.toml, [")
    assert record.fix.endswith(".")
    return record


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["EUR", "JPY", "KWD"])), max_size=1200), st.data())
def test_grouping_is_that_of_the_keys_whatever_the_batches_are(
    sizes: list[tuple[int, str]], data: st.DataObject
) -> None:
    rows = [
        row(f"{place:05}", size, f"line {line}", 1, currency=currency)
        for place, (size, currency) in enumerate(sizes)
        for line in range(size)
    ]
    records = build(rows)
    assert [record.key for record in records] == [f"{place:05}" for place in range(len(sizes))]
    for record, (size, currency) in zip(records, sizes, strict=True):
        assert isinstance(record, SalesInvoice)
        assert record.currency == currency
        assert [line.description for line in record.lines] == [f"line {line}" for line in range(size)]


def test_one_bad_record_in_many_is_told_and_no_other_suffers() -> None:
    rows = [row(f"{place:05}") for place in range(2000)]
    good = build(rows)
    rows[777] = row("00777", total="ten")
    rows[1500] = row("01500", currency="euro")
    records = build(rows)
    bad = {record.key: unreadable(record) for record in records if isinstance(record, Unreadable)}
    assert set(bad) == {"00777", "01500"}
    assert "`total` is not a plain number: 'ten'" in bad["00777"].reason
    assert "`currency` is not a code of three capital letters such as EUR: 'EURO'" in bad["01500"].reason.replace(
        "'euro'", "'EURO'"
    )
    assert [r for r in records if r.key not in bad] == [r for r in good if r.key not in bad]


def test_a_document_with_very_many_lines_is_one_document() -> None:
    (record,) = build([row("1", 5000, f"{n}", 1) for n in range(5000)])
    assert isinstance(record, SalesInvoice)
    assert len(record.lines) == 5000


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"total": None}, "`total` is empty"),
        ({"total": ""}, "`total` is empty"),
        ({"total": float("nan")}, "`total` is not a number that can be booked: nan"),
        ({"total": float("inf")}, "`total` is not a number that can be booked: inf"),
        ({"total": Decimal("NaN")}, "`total` is not a finite number"),
        ({"total": True}, "`total` is not a number: True"),
        ({"date": None}, "`date` is empty"),
        ({"date": 20261120}, "`date` is not a date: 20261120"),
        ({"party_key": "  "}, "`party_key` is empty"),
        ({"currency": None}, "`currency` is empty"),
        ({"tax_total": "1,5"}, "`tax_total` is not a plain number: '1,5'"),
        ({"amount": None, "total": 0}, None),
        ({"amount": "x"}, "`line.amount` of line 1 is not a plain number: 'x'"),
        ({"text": object()}, "`line.description` of line 1 is not a text"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_column(more: dict[str, Any], said: str | None) -> None:
    before, record, after = build([row("0"), row("1", **more), row("2")])
    assert not isinstance(before, Unreadable)
    assert not isinstance(after, Unreadable)
    if said is None:
        assert not isinstance(record, Unreadable)
        return
    reason = unreadable(record).reason
    assert "key 1:" in reason
    assert said in reason


def test_several_faults_of_one_record_are_told_together() -> None:
    (record,) = build([row("1", total="a", amount="b", date="c")])
    reason = unreadable(record).reason
    assert all(f"`{name}`" in reason for name in ("total", "line.amount", "date"))


def test_a_head_that_differs_between_rows_names_the_column() -> None:
    (record,) = build([row("1", total=10), row("1", total=20)])
    assert "column `total` differs between its rows: 10 and 20" in unreadable(record).reason


def test_keys_that_come_again_are_told_once_the_first_was_closed() -> None:
    for keys in (["1", "2", "1"], ["9", "5", "9"]):
        records = build([row(key) for key in keys])
        assert "do not stand together" in unreadable(records[2]).reason
        assert "Order the rows" in unreadable(records[2]).fix


@given(st.lists(st.text(max_size=3), max_size=300))
def test_seen_keys_are_exact(keys: list[str]) -> None:
    seen, known = SeenKeys(), set[str]()
    for place in range(0, len(keys), 7):
        part = keys[place : place + 7]
        wanted = []
        for key in part:
            wanted.append(key not in known)
            known.add(key)
        assert seen.add_many(part) == wanted


def test_rows_without_a_key_are_told_and_told_apart() -> None:
    first, second, last = build([row(None, number="N7"), row("", number=""), row("2")])
    assert unreadable(first).key == "(no key) N7"
    assert unreadable(second).key.startswith("(no key) 2026-11-20 C1")
    assert last.key == "2"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Kind.SALES_INVOICE, "[sales_credit_note]"),
        (Kind.VENDOR_BILL, "[vendor_credit]"),
        (Kind.SALES_CREDIT_NOTE, "Turn the sign"),
        (Kind.VENDOR_CREDIT, "Turn the sign"),
    ],
)
def test_a_negative_total_says_where_it_belongs(kind: Kind, said: str) -> None:
    (record,) = build([row("1", total=-5, amount=-5)], kind=kind)
    assert said in unreadable(record).fix


def test_a_left_join_without_lines_and_a_line_of_words() -> None:
    fields = (*FIELDS, "line.quantity", "line.unit_price")
    none, words, half = build(
        [
            (*row("1", 0, None, None), None, None),
            (*row("2", 0, "see", None), None, ""),
            (*row("3", 0, "x", None), 2, 5),
        ],
        fields,
    )
    assert none.lines == ()  # type: ignore[union-attr]
    assert [line.amount for line in words.lines] == [0]  # type: ignore[union-attr]
    assert "`line.amount` of line 1 is empty" in unreadable(half).reason


def test_what_the_source_does_not_tell_is_summed_up() -> None:
    fields = ("key", "date", "party_key", "line.quantity", "line.unit_price", "line.discount", "line.tax_amount")
    rows = [("1", "2026-11-20", "C1", "3", "0.335", 0, "0.21"), ("1", "2026-11-20", "C1", "1", "5", "0.5", "0.95")]
    (record,) = build(rows, fields, currency="EUR", total_from_lines=True)
    assert isinstance(record, SalesInvoice)
    assert [line.amount for line in record.lines] == [Decimal("1.01"), Decimal("4.50")]
    assert (record.tax_total, record.total) == (Decimal("1.16"), Decimal("6.67"))


def test_columns_that_do_not_fit_are_refused_all_at_once() -> None:
    with pytest.raises(SettingsFault) as caught:
        RecordBuilder(table(), ("key", "kei", "date", "date", "line.amount"), ZONE)
    for part in (
        "`kei` is not a field. Did you mean key?",
        "`date` comes twice",
        "`party_key`",
        "`currency`",
        "`total`",
    ):
        assert part in caught.value.why


HEADS = st.tuples(
    st.one_of(st.text(max_size=4), st.integers(), st.none()),
    st.one_of(
        st.floats(),
        st.integers(-5, 10**6),
        st.decimals(allow_nan=False),
        st.just(Decimal("NaN")),
        st.none(),
        st.sampled_from(["1.5", "x"]),
    ),
    st.sampled_from(["2026-11-20", "2026-11-21", date(2026, 11, 22), None, "x", 7]),
    st.sampled_from(["EUR", "jpy", "KWD", "", "EURO", None]),
)


@given(st.lists(HEADS, max_size=40))
def test_heads_are_those_of_the_documents_that_can_be_read(cells: list[tuple[Any, ...]]) -> None:
    rows = [row(key, total, date=day, currency=currency) for key, total, day, currency in cells]
    spec = table()
    wanted = [head_of(r) for r in build(rows) if not isinstance(r, Unreadable) and r.date <= date(2026, 11, 21)]
    fields = head_fields(spec)
    narrow = [tuple(r[FIELDS.index(name)] for name in fields) for r in rows]
    made = HeadBuilder(spec, fields, ZONE).heads(iter(narrow), date(2026, 1, 1), date(2026, 11, 21))
    assert {head.key for head in made} >= {head.key for head in wanted}
    again = HeadBuilder(spec, fields, ZONE).heads(iter(narrow), date(2026, 1, 1), date(2026, 11, 21))
    by_key = {head.key: head for head in again}
    assert [by_key[head.key] for head in wanted] == wanted


# Time records

TIME = ("key", "date", "employee_key", "minutes", "start", "end", "break_minutes")


def worked(start: Any, end: Any, minutes: Any = None, pause: Any = 0, day: str = "2026-10-24") -> SourceRecord:
    (record,) = RecordBuilder(table(Kind.TIME_RECORD), TIME, ZONE).records(
        [("T1", day, "E1", minutes, start, end, pause)]
    )
    return record


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-11-20 09:00", "2026-11-20 17:30", 510),
        ("22:00", "06:00", 540),  # the night in which summer time ends
        ("2026-10-24 22:00", "2026-10-25 06:00", 540),
        ("2026-03-28 22:00", "2026-03-29 06:00", 420),
        ("2026-10-25 02:30", "2026-10-25 02:15", 45),  # twice the same hour
        ("2026-11-20 09:00:00", "2026-11-20 09:01:30", 2),
        ("2026-11-20 09:00:00", "2026-11-20 09:01:29", 1),
        ("09:00", "09:00", 1500),
    ],
)
def test_minutes_are_those_that_passed(start: str, end: str, minutes: int) -> None:
    record = worked(start, end)
    assert isinstance(record, TimeRecord)
    assert record.minutes == minutes


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda m: m.replace(microsecond=0)),
    st.integers(0, 40 * 3600),
    st.integers(0, 30),
)
def test_minutes_are_exact_over_the_year(start: datetime, seconds: int, pause: int) -> None:
    begun = start.replace(tzinfo=ZONE).timestamp()
    end = datetime.fromtimestamp(begun + seconds, ZONE).replace(tzinfo=None)
    record = worked(start, end, pause=pause)
    left = seconds - 60 * pause
    if left < 0:
        assert "less than zero" in unreadable(record).reason
        return
    assert isinstance(record, TimeRecord)
    # Of a local hour that comes twice the first is meant, so an hour may be missing there.
    assert record.minutes in {(left + 30) // 60, (left - 3600 + 30) // 60, (left + 3600 + 30) // 60}
    if end == start + timedelta(seconds=seconds):
        assert record.minutes in {(left + 30) // 60, (left + 3600 + 30) // 60}


def test_minutes_that_are_given_win() -> None:
    record = worked("2026-11-20 09:00", "2026-11-20 17:30", 95, pause=30)
    assert isinstance(record, TimeRecord)
    assert (record.minutes, record.break_minutes) == (95, 30)
    assert worked(None, None, "7.5").minutes == 8  # type: ignore[union-attr]
    assert worked(None, None, "1:30").minutes == 90  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("start", "end", "minutes", "said"),
    [
        ("2026-11-20 09:00", None, None, "how long it took is not known"),
        ("2026-11-20 09:00", "2026-11-19 17:00", None, "less than zero"),
        (None, None, -5, "less than zero"),
        ("soon", "2026-11-19 17:00", None, "`start` is not a time: 'soon'"),
    ],
)
def test_times_that_cannot_be(start: Any, end: Any, minutes: Any, said: str) -> None:
    assert said in unreadable(worked(start, end, minutes)).reason


def test_a_time_record_in_two_rows_is_told() -> None:
    rows = [("T1", "2026-11-20", "E1", 5, None, None, 0)] * 2
    (record,) = RecordBuilder(table(Kind.TIME_RECORD), TIME, ZONE).records(rows)
    assert "same in 2 rows" in unreadable(record).reason


def test_parties() -> None:
    builder = PartyBuilder(table(PartyKind.CUSTOMER), ("key", "name", "active"), ZONE)
    rows = [(1.0, " Acme ", "Y"), (1.0, " Acme ", "Y"), (None, "nobody", 1), ("2", None, 0)]
    first, second = builder.parties(rows)
    assert (first.key, first.name, first.active) == ("1", "Acme", True)
    assert (second.key, second.name, second.active) == ("2", "", False)
    with pytest.raises(SettingsFault, match="Key 3: column `active` is neither yes nor no: 'X'"):
        list(builder.parties([("3", "x", "X")]))
