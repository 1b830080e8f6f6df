"""Reading, on four databases: to the cent, since, windows, keys, heads, probes, parties."""

# ruff: noqa: DTZ001 - the source's own clock has no zone

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector_service.contract.source import Probe, Window
from connector_service.domain.documents import Document, SourceRecord, Unreadable
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.money import to_minor
from connector_service.domain.problems import SettingsFault
from connector_service.sources.sql.client import Database
from connector_service.sources.sql.wire import Bound
from tests.systems.sql.conftest import PROFILES, Shop
from tests.systems.sql.rows import DOCUMENTS, HARD_KEY, HARD_NAME

INVOICES = DOCUMENTS[Kind.SALES_INVOICE]
OPEN = Window()
SHOP_TOML = (PROFILES / "shop.toml").read_text(encoding="utf-8")


def by_key(records: Iterator[SourceRecord]) -> list[SourceRecord]:
    return sorted(records, key=lambda record: record.key)


def changed(text: str, old: str, new: str) -> str:
    """The text with the first ``old`` in it replaced; the test is wrong where there is none."""
    assert old in text
    return text.replace(old, new, 1)


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that go to a database from here on."""
    seen: list[str] = []
    real = Database.query

    def noted(self: Database, statement: str, values: Mapping[str, Bound], place: str) -> Any:
        seen.append(statement)
        return real(self, statement, values, place)

    monkeypatch.setattr(Database, "query", noted)
    return seen


def test_check_uses_every_right_and_writes_nothing(shop: Shop) -> None:
    before = [shop.run(f"select * from {table}") for table in ("Invoice", "Bill", "TimeEntry")]
    shop.source().check()
    assert [shop.run(f"select * from {table}") for table in ("Invoice", "Bill", "TimeEntry")] == before


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_read_to_the_cent(standing: Shop, kind: Kind) -> None:
    records = by_key(standing.source().read(kind, None, OPEN))
    assert records == sorted(DOCUMENTS[kind], key=lambda document: document.key)
    for record in records:
        assert not isinstance(record, Unreadable)
        for value in getattr(record, "lines", ()):
            assert isinstance(value.amount, Decimal)


def test_money_in_float_columns_is_exact(shop: Shop) -> None:
    amounts = ["0.1", "0.2", "0.7", "1234567.89", "99999999.99", "19.99", "4.35", "2.675"]
    kind = "double precision" if shop.engine == "postgresql" else "double"
    shop.run(f"create table Loose (No integer primary key, Amount {kind})")
    for number, amount in enumerate(amounts):
        shop.insert("Loose", {"No": number, "Amount": float(amount)})
    profile = """
    [sales_invoice]
    currency = "EUR"
    query = '''select No as "key", '2026-11-20' as "date", 'C1' as party_key, Amount as total, 0 as tax_total,
      Amount as "line.unit_price", Amount as "line.amount" from Loose order by No'''
    """
    records = list(shop.source(profile).read(Kind.SALES_INVOICE, None, OPEN))
    read = [(str(record.lines[0].unit_price), str(record.total)) for record in records]  # type: ignore[union-attr]
    assert read == [(amount, str(Decimal(amount).quantize(Decimal("0.01"), "ROUND_HALF_UP"))) for amount in amounts]


def test_alternatives_are_read_where_the_route_chose_them(standing: Shop) -> None:
    source = standing.source(alternatives={"sales_invoice": "packing_list"})
    assert [record.key for record in source.read(Kind.SALES_INVOICE, None, OPEN)] == ["PL1"]


def test_since_gives_what_changed_at_or_after_it(shop: Shop) -> None:
    source = shop.source()
    for place, document in enumerate(INVOICES):
        seen = [record.key for record in source.read(Kind.SALES_INVOICE, document.changed_at, OPEN)]
        assert [d.key for d in INVOICES[place:]] == seen
    last = max(d.changed_at for d in INVOICES if d.changed_at)
    shop.run("update Invoice set Note = 'changed', ChangedAt = ? where InvoiceNo = ?", str(last), "1001")
    assert {r.key for r in source.read(Kind.SALES_INVOICE, last, OPEN)} == {"1001", HARD_KEY}


def test_window_holds_both_its_ends(standing: Shop) -> None:
    source = standing.source()
    window = Window(date(2026, 11, 20), date(2026, 11, 21))
    assert [record.key for record in source.read(Kind.SALES_INVOICE, None, window)] == ["1001", "1002"]
    assert list(source.read(Kind.SALES_INVOICE, None, Window(date(2026, 11, 23)))) == []
    assert [r.key for r in source.read(Kind.SALES_INVOICE, None, Window(last=date(2026, 11, 20)))] == ["1001"]


@pytest.mark.parametrize("kind", list(Kind))
def test_heads_say_what_the_documents_say(standing: Shop, kind: Kind) -> None:
    heads = {head.key: head for head in standing.source().heads(kind, Window(last=date(2026, 11, 21)))}
    wanted = [document for document in DOCUMENTS[kind] if document.date <= date(2026, 11, 21)]
    assert set(heads) == {document.key for document in wanted}
    for document in wanted:
        head = heads[document.key]
        party = getattr(document, "party_key", "") or getattr(document, "employee_key", "")
        assert (head.number, head.date, head.party_key) == (document.number, document.date, party)
        assert head.total_minor == _minor(document)


def _minor(document: Document) -> int:
    if document.kind is Kind.TIME_RECORD:
        return int(document.minutes)  # type: ignore[union-attr]
    return to_minor(document.total, document.currency)  # type: ignore[union-attr]


def test_keys_are_read_again_in_two_queries_at_most(standing: Shop, queries: list[str]) -> None:
    source = standing.source()
    # One where it was, one whose date has changed since, one that is gone.
    keys = [("1001", date(2026, 11, 20)), (HARD_KEY, date(2026, 11, 20)), ("gone", date(2026, 11, 20))]
    found = by_key(source.read_keys(Kind.SALES_INVOICE, keys))
    assert [record.key for record in found] == sorted(["1001", HARD_KEY])
    assert found[0] in INVOICES
    assert len(queries) == 2
    assert list(source.read_keys(Kind.SALES_INVOICE, [])) == []


def test_probe_counts_and_says_whether_within_the_window(standing: Shop) -> None:
    found = standing.source().probe(Kind.SALES_CREDIT_NOTE, Window(date(2030, 1, 1)))
    assert found == Probe(1, "K1", "K1", windowed=False)
    profile = changed(
        SHOP_TOML,
        'max(InvoiceNo) from Invoice"',
        'max(InvoiceNo) from Invoice where InvDate >= :from_date and InvDate <= :to_date"',
    )
    source = standing.source(profile)
    window = Window(date(2026, 11, 20), date(2026, 11, 21))
    assert source.probe(Kind.SALES_INVOICE, window) == Probe(2, "1001", "1002", windowed=True)
    assert source.probe(Kind.SALES_INVOICE, OPEN) is not None
    none = source.probe(Kind.SALES_INVOICE, Window(date(2030, 1, 1)))
    assert none == Probe(0, "", "", windowed=True)
    assert standing.source(re.sub(r"probe .*", "", SHOP_TOML)).probe(Kind.SALES_INVOICE, OPEN) is None


def test_parties_with_hard_names_and_since(standing: Shop) -> None:
    source = standing.source()
    first, second = source.read_parties(PartyKind.CUSTOMER, None)
    assert (first.key, first.name, first.email, first.country, first.active) == (
        "C1",
        HARD_NAME,
        "a@example.com",
        "NL",
        True,
    )
    assert (second.key, second.active) == ("C2", False)
    assert list(source.read_parties(PartyKind.CUSTOMER, second.changed_at)) == [second]
    assert [party.name for party in source.read_parties(PartyKind.EMPLOYEE, None)] == ["Zoë Ångström"]


def test_a_record_that_cannot_be_a_document_is_shown_and_the_others_go_on(standing: Shop) -> None:
    profile = changed(
        SHOP_TOML, "h.Total as total", "case when h.InvoiceNo = '1001' then null else h.Total end as total"
    )
    profile = changed(profile, "h.Rate as rate", "case when h.InvoiceNo = '1002' then 'abc' else '1.5' end as rate")
    records = {record.key: record for record in standing.source(profile).read(Kind.SALES_INVOICE, None, OPEN)}
    missing, wrong, good = records["1001"], records["1002"], records[HARD_KEY]
    assert isinstance(missing, Unreadable)
    assert isinstance(wrong, Unreadable)
    for part in ("mine.toml", "[sales_invoice]", "key 1001", "`total`", "empty"):
        assert part in missing.reason
    assert missing.date == date(2026, 11, 20)
    for part in ("key 1002", "`rate`", "'abc'"):
        assert part in wrong.reason
    assert not isinstance(good, Unreadable)
    assert {head.key for head in standing.source(profile).heads(Kind.SALES_INVOICE, OPEN)} == {"1002", HARD_KEY}


def test_a_head_that_stands_without_lines_is_not_passed_over(shop: Shop) -> None:
    shop.insert(
        "Invoice",
        {"InvoiceNo": "2000", "InvDate": "2026-11-23", "Cust": "C1", "Currency": "EUR", "Total": "9"}
        | {"ChangedAt": "2026-11-23 00:00:00"},
    )
    (record,) = shop.source().read(Kind.SALES_INVOICE, datetime(2026, 11, 23), OPEN)
    assert record.lines == ()  # type: ignore[union-attr]


def test_rows_that_come_apart_are_told(standing: Shop) -> None:
    profile = changed(SHOP_TOML, "order by h.ChangedAt, h.InvoiceNo, d.LineNo", "order by d.LineNo, h.InvoiceNo")
    records = list(standing.source(profile).read(Kind.SALES_INVOICE, None, OPEN))
    apart = [record for record in records if isinstance(record, Unreadable)]
    assert [record.key for record in apart] == ["1001"]
    assert "do not stand together" in apart[0].reason
    assert "Order the rows" in apart[0].fix


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("h.DueDate as due_date", "h.Due as due_date", "h.due|due"),
        ("from Invoice h", "from Invoices h", "invoices"),
        ("order by h.ChangedAt", "order order by h.ChangedAt", "order"),
    ],
)
def test_a_query_that_the_database_does_not_understand(standing: Shop, old: str, new: str, said: str) -> None:
    source = standing.source(changed(SHOP_TOML, old, new))
    for attempt in (source.check, lambda: list(source.read(Kind.SALES_INVOICE, None, OPEN))):
        with pytest.raises(SettingsFault) as caught:
            attempt()
        assert "mine.toml, [sales_invoice] query" in str(caught.value)
        assert re.search(said, caught.value.why.lower())
    # The other kinds go on.
    assert len(list(source.read(Kind.VENDOR_BILL, None, OPEN))) == 1


def test_a_column_that_is_missing_or_unknown_is_named(standing: Shop) -> None:
    profile = changed(SHOP_TOML, "h.Currency as currency", "h.Currency as curency")
    with pytest.raises(SettingsFault) as caught:
        standing.source(profile).check()
    for part in ("`curency` is not a field", "Did you mean currency?", "no column `currency`", "[sales_invoice]"):
        assert part in str(caught.value)
