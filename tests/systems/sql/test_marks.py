"""Marking, and that nothing else writes, on four databases."""

import pytest
from sqlalchemy.exc import DBAPIError

from connector_service.contract.source import Window
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import ConnectorError, Refused, SettingsFault
from connector_service.sources.sql.client import Database
from tests.systems.sql.conftest import PROFILES, Shop
from tests.systems.sql.rows import HARD_KEY

SHOP_TOML = (PROFILES / "shop.toml").read_text(encoding="utf-8")


def marked(shop: Shop, column: str = "Exported") -> set[str]:
    return {row[0] for row in shop.run(f"select InvoiceNo from Invoice where {column} = 1")}


def test_marks_what_was_asked_and_nothing_else(shop: Shop) -> None:
    source = shop.source()
    assert source.can_mark(Kind.SALES_INVOICE, paid=False)
    assert not source.can_mark(Kind.TIME_RECORD, paid=True)
    source.mark(Kind.SALES_INVOICE, ["1001"], paid=False)
    assert marked(shop) == {"1001", "1002"}
    source.mark(Kind.SALES_INVOICE, ["1001", HARD_KEY], paid=True)
    assert marked(shop, "Paid") == {"1001", HARD_KEY}
    source.mark(Kind.SALES_INVOICE, ["1001", HARD_KEY], paid=True)
    assert marked(shop, "Paid") == {"1001", HARD_KEY}
    keys = {record.key for record in source.read(Kind.SALES_INVOICE, None, Window()) if getattr(record, "exported", 0)}
    assert keys == {"1001", "1002"}


@pytest.mark.parametrize("key", ["x' or '1'='1", "1001'; delete from Invoice; --", "%", ":key", "1001\\"])
def test_a_key_is_a_value_whatever_is_in_it(shop: Shop, key: str) -> None:
    before = shop.run("select * from Invoice")
    shop.source().mark(Kind.SALES_INVOICE, [key], paid=False)
    assert shop.run("select * from Invoice") == before


def test_whole_numbers_as_keys_find_their_column(shop: Shop) -> None:
    shop.run("create table Counted (No integer primary key, Done integer not null)")
    for number in (7, 8):
        shop.insert("Counted", {"No": number, "Done": 0})
    profile = """
    [sales_invoice]
    currency = "EUR"
    query = '''select No as "key", '2026-11-20' as "date", 'C1' as party_key, 1 as total, Done as exported,
      1 as "line.amount" from Counted order by No'''
    mark_exported = "update Counted set Done = 1 where No = :key"
    """
    source = shop.source(profile)
    source.check()
    assert [record.key for record in source.read(Kind.SALES_INVOICE, None, Window())] == ["7", "8"]
    source.mark(Kind.SALES_INVOICE, ["8"], paid=False)
    assert shop.run("select No from Counted where Done = 1") == [(8,)]


def test_a_call_marks_all_or_none(shop: Shop) -> None:
    # The second record to be marked hurts the index.
    profile = SHOP_TOML.replace(
        "update Invoice set Exported = 1 where", "update Invoice set Exported = 1, Project = 'same' where"
    )
    for number, key in enumerate(("1001", "1002", HARD_KEY)):
        shop.run("update Invoice set Project = ?, Exported = 0 where InvoiceNo = ?", f"p{number}", key)
    shop.run("create unique index OneSuch on Invoice (Project)")
    with pytest.raises(Refused) as caught:
        shop.source(profile).mark(Kind.SALES_INVOICE, ["1001", HARD_KEY], paid=False)
    assert "[sales_invoice] mark_exported" in str(caught.value)
    assert marked(shop) == set()


def test_a_wrong_mark_statement_is_found_before_it_is_needed(shop: Shop) -> None:
    profile = SHOP_TOML.replace("update Invoice set Paid = 1", "update Invoice set Payed = 1")
    with pytest.raises(SettingsFault) as caught:
        shop.source(profile).check()
    assert "[sales_invoice] mark_paid" in str(caught.value)
    assert "payed" in caught.value.why.lower()


def test_marking_without_a_statement_says_which_is_missing(shop: Shop) -> None:
    with pytest.raises(SettingsFault, match="has no `mark_paid`"):
        shop.source().mark(Kind.TIME_RECORD, ["T1"], paid=True)


def test_a_statement_on_the_reading_connection_changes_nothing(shop: Shop) -> None:
    source = shop.source()
    database: Database = source._database
    before = shop.run("select * from Invoice")
    for statement in (
        "update Invoice set Note = 'written'",
        "delete from InvoiceLine",
        "create table Sneaky (x integer)",
    ):
        with pytest.raises(ConnectorError), database.query(statement, {}, "test") as answer:
            list(answer.rows)
    assert shop.run("select * from Invoice") == before
    assert shop.value("select count(*) from InvoiceLine") == 4
    with pytest.raises(Exception, match=r"(?i)sneaky"):
        shop.run("select * from Sneaky")


# An ODBC database has no session that cannot write; there the user's rights are the guard.
@pytest.mark.parametrize("shop", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_the_reading_connection_cannot_write_even_if_it_commits(shop: Shop) -> None:
    source = shop.source()
    before = shop.run("select * from Invoice")
    with source._database._engine(write=False).connect() as connection:
        with pytest.raises(DBAPIError, match=r"(?i)read-?\s?only"):
            connection.exec_driver_sql("update Invoice set Note = 'written'")
        connection.commit()
    assert shop.run("select * from Invoice") == before


def test_a_check_undoes_a_mark_whatever_it_touches(shop: Shop) -> None:
    profile = SHOP_TOML.replace("set Paid = 1 where InvoiceNo = :key", "set Paid = 1 where InvoiceNo = :key or 1 = 1")
    assert profile != SHOP_TOML
    shop.source(profile).check()
    assert marked(shop, "Paid") == set()
