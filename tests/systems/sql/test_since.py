"""How a moment goes to a database and back, and which database it is."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import make_url

from connector_service.contract.source import Window
from connector_service.domain.documents import SourceRecord, Unreadable
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import SettingsFault
from connector_service.sources.sql.client import Database
from tests.systems.sql import servers
from tests.systems.sql.conftest import Shop, make_shop

OPEN = Window()
LOOSE = """
[sales_invoice]
currency = "EUR"
{form}
query = '''select No as "key", Stamp as changed_at, '2026-11-20' as "date", 'C1' as party_key, 1 as total,
  1 as "line.amount" from Loose where Stamp >= :since order by No'''
"""
STAMPS = [
    "2026-11-20",
    "2026-11-20 10:00",
    "2026-11-20T10:00",
    "2026-11-20 10:00:00",
    "2026-11-20T10:00:00",
    "2026-11-20 10:00:00.5",
    "2026-11-20T10:00:00.123456",
    "2026-11-20T10:00:00Z",
    "2026-11-20T10:00:00+02:00",
]


def stamp_of(record: SourceRecord) -> datetime:
    assert not isinstance(record, Unreadable)
    assert record.changed_at is not None
    # As it is kept between runs.
    return datetime.fromisoformat(record.changed_at.isoformat())


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_text_stamp_in_any_form_finds_its_own_record_again(sqlite: Shop, stamp: str) -> None:
    sqlite.run("update Invoice set ChangedAt = '2026-11-19 23:59:59'")
    sqlite.run("update Invoice set ChangedAt = ? where InvoiceNo = '1001'", stamp)
    source = sqlite.source()
    (record,) = (r for r in source.read(Kind.SALES_INVOICE, None, OPEN) if r.key == "1001")
    since = stamp_of(record)
    assert [r.key for r in source.read(Kind.SALES_INVOICE, since, OPEN)] == ["1001"]
    assert list(source.read(Kind.SALES_INVOICE, since.replace(year=2027), OPEN)) == []


@pytest.mark.parametrize(
    ("form", "stored", "before"),
    [
        ("%Y%m%d%H%M%S", "20261120100000", "20261119235959"),
        ("epoch", 1795255200, 1795255199),
        ("epoch_ms", 1795255200123, 1795255200122),
        ("date", "2026-11-20", "2026-11-19"),
    ],
)
def test_since_in_a_form_that_the_profile_names(sqlite: Shop, form: str, stored: str | int, before: str | int) -> None:
    sqlite.run("create table Loose (No integer primary key, Stamp)")
    sqlite.insert("Loose", {"No": 1, "Stamp": before})
    sqlite.insert("Loose", {"No": 2, "Stamp": stored})
    source = sqlite.source(LOOSE.format(form=f'since_format = "{form}"'))
    first, second = source.read(Kind.SALES_INVOICE, None, OPEN)
    assert first.key == "1"
    assert [r.key for r in source.read(Kind.SALES_INVOICE, stamp_of(second), OPEN)] == ["2"]


def test_a_number_without_a_form_is_not_guessed(sqlite: Shop) -> None:
    sqlite.run("create table Loose (No integer primary key, Stamp integer)")
    sqlite.insert("Loose", {"No": 1, "Stamp": 1795255200})
    profile = LOOSE.format(form="").replace("where Stamp >= :since", "")
    (record,) = sqlite.source(profile).read(Kind.SALES_INVOICE, None, OPEN)
    assert isinstance(record, Unreadable)
    assert "1795255200" in record.reason
    assert "`since_format`" in record.fix


def test_date_columns_and_microseconds_on_every_database(shop: Shop) -> None:
    kind = {"postgresql": "timestamp", "mariadb": "datetime(6)"}.get(shop.kind, "timestamp")
    for column, stamps in (
        ("date", ["2026-11-19", "2026-11-20", "2026-11-21"]),
        (kind, ["2026-11-20 10:00:00.123455", "2026-11-20 10:00:01.5", "2026-11-20 10:00:03"]),
    ):
        shop.run("drop table if exists Loose")
        shop.run(f"create table Loose (No integer primary key, Stamp {column} not null)")
        for number, stamp in enumerate(stamps):
            shop.insert("Loose", {"No": number, "Stamp": stamp})
        source = shop.source(LOOSE.format(form=""))
        records = list(source.read(Kind.SALES_INVOICE, None, OPEN))
        for number, record in enumerate(records):
            again = [r.key for r in source.read(Kind.SALES_INVOICE, stamp_of(record), OPEN)]
            # None is left out; one of a moment shortly before may come along.
            assert again[-(len(stamps) - number) :] == [str(n) for n in range(number, len(stamps))]
        assert len(list(source.read(Kind.SALES_INVOICE, stamp_of(records[2]), OPEN))) < 3


def test_instants_become_dates_in_the_zone_of_the_source(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    shop = make_shop("postgresql", tmp_path, request)
    shop.run("create table Loose (No integer primary key, At timestamptz not null)")
    # Half past eleven in the evening of the 19th in London is half past twelve at night of the 20th in Amsterdam.
    shop.run("insert into Loose values (1, '2026-11-19 23:30:00.123456+00'), (2, '2026-11-21 12:00:00+00')")
    profile = """
    [sales_invoice]
    currency = "EUR"
    query = '''select No as key, At as changed_at, At as date, At::date as due_date, 'C1' as party_key, 1 as total,
      1 as "line.amount" from Loose where At >= :since and At >= :from_date and At <= :to_date order by No'''
    """
    source = shop.source(profile)
    record, _ = source.read(Kind.SALES_INVOICE, None, OPEN)
    assert record.date == date(2026, 11, 20)
    assert record.due_date == date(2026, 11, 20)  # type: ignore[union-attr]
    assert stamp_of(record) == datetime(2026, 11, 19, 23, 30, 0, 123456, tzinfo=UTC)
    assert [r.key for r in source.read(Kind.SALES_INVOICE, stamp_of(record), OPEN)] == ["1", "2"]
    window = Window(date(2026, 11, 20), date(2026, 11, 21))
    assert [r.key for r in source.read(Kind.SALES_INVOICE, None, window)] == ["1", "2"]
    assert [h.key for h in source.heads(Kind.SALES_INVOICE, Window(last=date(2026, 11, 20)))] == ["1"]
    source.close()


def test_a_text_column_that_is_not_compared_names_the_way_out(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    shop = make_shop("postgresql", tmp_path, request)
    shop.run("create table Loose (No integer primary key, Stamp text not null)")
    shop.run("insert into Loose values (1, '2026-11-20 10:00:00')")
    with pytest.raises(SettingsFault) as caught:
        shop.source(LOOSE.format(form="")).check()
    assert "`since_format`" in caught.value.fix
    source = shop.source(LOOSE.format(form='since_format = "%Y-%m-%d %H:%M:%S"'))
    (record,) = source.read(Kind.SALES_INVOICE, None, OPEN)
    assert [r.key for r in source.read(Kind.SALES_INVOICE, stamp_of(record), OPEN)] == ["1"]
    source.close()


def test_identity_has_no_secret_and_no_path_above_the_data_folder(sqlite: Shop, tmp_path: Path) -> None:
    assert sqlite.source().identity() == "sql:sqlite:shop.db"
    assert sqlite.source(url=f"sqlite:///{tmp_path / 'shop.db'}").identity() == "sql:sqlite:shop.db"
    away = sqlite.source(url="sqlite:////srv/erp/shop.db").identity()
    assert re.fullmatch(r"sql:sqlite:shop\.db#[0-9a-f]{12}", away)
    assert away != sqlite.source(url="sqlite:////srv/other/shop.db").identity()
    sqlite.secrets.values.update(username="anna", password="hush hush")
    for url, wanted in (
        ("postgresql://{username}:{password}@DB.example.com:5433/shop", "sql:postgresql:db.example.com:5433/shop"),
        ("mssql+pyodbc://{username}:{password}@erp/JOBS?driver=ODBC+Driver+18+for+SQL+Server", "sql:mssql:erp/JOBS"),
    ):
        assert sqlite.source(url=url).identity() == wanted
    odbc = "odbc:///?odbc_connect=DRIVER={{{}}};SERVER=erp;DATABASE=jobs;UID={{username}};PWD={{password}}"
    first, second = sqlite.source(url=odbc.format("A 17")).identity(), sqlite.source(url=odbc.format("A 18")).identity()
    assert first == second
    assert "hush" not in first
    assert "erp" not in first


def test_the_address_of_sql_server_becomes_its_connection_string(tmp_path: Path) -> None:
    url = "mssql+pyodbc://{username}:{password}@JOBSERVER/PRODUCTION?driver=ODBC+Driver+18+for+SQL+Server"
    database = Database(f"{url}&TrustServerCertificate=yes", tmp_path, ZoneInfo("UTC"), "anna", servers.PASSWORD + ";x")
    made = database._url
    (text,), _ = made.get_dialect()().create_connect_args(make_url(made))
    assert text.startswith("DRIVER={ODBC Driver 18 for SQL Server};Server=JOBSERVER;Database=PRODUCTION;UID=anna;PWD={")
    assert servers.PASSWORD in text
    assert "TrustServerCertificate=yes" in text
