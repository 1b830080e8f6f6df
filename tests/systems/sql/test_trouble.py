"""What goes wrong with databases, and what is said then."""

import gc
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector_service.contract.registry import Given, open_source
from connector_service.contract.source import Window
from connector_service.domain.documents import Unreadable
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.problems import ConnectorError, NeedsUser, RetryLater, SettingsFault
from connector_service.sources.sql import client
from tests.systems.sql import servers
from tests.systems.sql.conftest import PROFILES, Secrets, Shop, make_shop, sqlite_shop

OPEN = Window()
MANY = 60_000
SHOP_TOML = (PROFILES / "shop.toml").read_text(encoding="utf-8")
CUSTOMERS = """
[sales_invoice]
currency = "EUR"
query = '''select Code as "key", '2026-11-20' as "date", Code as party_key, Name as note, 1 as total,
  1 as "line.amount" from Customer order by Code'''
"""


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A database on a server, with many customers and nothing else."""
    shop = make_shop(request.param, tmp_path, request)
    shop.run("create table Customer (Code varchar(20) primary key, Name varchar(200))")
    if shop.kind == "postgresql":
        shop.run(f"insert into Customer select 'C' || n, repeat('x', 150) from generate_series(1, {MANY}) n")
    else:
        shop.run(f"insert into Customer select concat('C', seq), repeat('x', 150) from seq_1_to_{MANY}")
    yield shop
    for source in shop.opened:
        source.close()


def failure(attempt: Callable[[], Any], kind: type[ConnectorError]) -> ConnectorError:
    """What an attempt raises: of exactly this kind, with a fix, and without a secret."""
    with pytest.raises(kind) as caught:
        attempt()
    assert type(caught.value) is kind
    assert caught.value.fix
    for secret in (servers.PASSWORD, "wrong-secret", "p%40ss", "Traceback"):
        assert secret not in str(caught.value)
    return caught.value


def test_a_connection_that_is_lost_while_reading_is_tried_again_later(server: Shop) -> None:
    source = server.source(CUSTOMERS)
    records = source.read(Kind.SALES_INVOICE, None, OPEN)
    next(records)
    if server.kind == "postgresql":
        server.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = ?", servers.USER)
    else:
        for row in server.run("select id from information_schema.processlist where user = ?", servers.USER):
            server.run(f"kill {row[0]}")
    error = failure(lambda: list(records), RetryLater)
    assert "cannot be reached" in error.what
    # The next run has a new connection.
    assert sum(1 for _ in source.read(Kind.SALES_INVOICE, None, OPEN)) == MANY


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_read_that_is_left_early_leaves_nothing_behind(server: Shop) -> None:
    source = server.source(CUSTOMERS)
    for _ in range(5):
        records = source.read(Kind.SALES_INVOICE, None, OPEN)
        next(records)
        records.close()  # type: ignore[attr-defined]
        del records
        gc.collect()
    assert sum(1 for _ in source.read(Kind.SALES_INVOICE, None, OPEN)) == MANY


def test_a_wrong_password(server: Shop) -> None:
    server.secrets.values["password"] = "wrong-secret"
    error = failure(server.source(CUSTOMERS).check, NeedsUser)
    assert "password" in error.what


def test_a_missing_right_to_read(server: Shop) -> None:
    if server.kind == "postgresql":
        server.run(f'revoke select on Customer from "{servers.USER}"')
    else:
        # Without any right the server would not even let the user in.
        server.run(f"revoke select on shop.* from '{servers.USER}'@'%'")
    error = failure(server.source(CUSTOMERS).check, NeedsUser)
    assert "right" in error.what
    assert "mine.toml, [sales_invoice] query" in error.what


def test_a_database_that_the_server_does_not_have(server: Shop) -> None:
    if server.kind == "mariadb":
        with servers.mariadb_connection(server.port) as admin:
            admin.execute(f"grant select on *.* to '{servers.USER}'@'%'")
    failure(server.source(CUSTOMERS, url=server.url.replace("/shop", "/nosuch")).check, SettingsFault)


def test_a_mark_without_the_right_is_told_by_the_check(server: Shop) -> None:
    profile = CUSTOMERS + 'mark_exported = "update Customer set Name = 1 where Code = :key"\n'
    server.source(profile).check()
    if server.kind == "postgresql":
        server.run(f'revoke update on Customer from "{servers.USER}"')
    else:
        server.run(f"revoke update on shop.* from '{servers.USER}'@'%'")
    error = failure(server.source(profile).check, NeedsUser)
    assert "[sales_invoice] mark_exported" in error.what


@pytest.mark.parametrize("system", ["postgresql", "mysql", "mariadb"])
def test_a_server_that_is_off_is_tried_again_later(sqlite: Shop, system: str) -> None:
    url = f"{system}://me@127.0.0.1:{servers.free_port()}/shop"
    error = failure(sqlite.source(url=url).check, RetryLater)
    assert "`url`" in error.fix


def test_a_secret_that_is_missing_is_asked_for(sqlite: Shop) -> None:
    with pytest.raises(NeedsUser, match="connector secret set ROUTE password"):
        sqlite.source(url="postgresql://me:{password}@127.0.0.1/shop")


@pytest.mark.parametrize(
    ("url", "package", "extra"),
    [
        ("postgresql://me@127.0.0.1/x", "psycopg", "connector-service[postgresql]"),
        ("mysql://me@127.0.0.1/x", "pymysql", "connector-service[mysql]"),
        ("mssql+pyodbc://me@dsn", "pyodbc", "connector-service[odbc]"),
    ],
)
def test_a_missing_driver_says_what_to_install(
    sqlite: Shop, monkeypatch: pytest.MonkeyPatch, url: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    error = failure(sqlite.source(url=url).check, NeedsUser)
    assert extra in error.fix


def test_an_odbc_driver_that_is_not_there(sqlite: Shop) -> None:
    pytest.importorskip("pyodbc", reason="pyodbc is not installed", exc_type=ImportError)
    error = failure(sqlite.source(url="odbc:///?odbc_connect=DRIVER={No such driver};DATABASE=x").check, NeedsUser)
    assert "driver" in error.what


@pytest.mark.parametrize("url", ["nosuch://x/y", "not an address", "sqlite://", "sqlite:///:memory:"])
def test_an_address_that_is_none(sqlite: Shop, url: str) -> None:
    failure(lambda: sqlite.source(url=url).check(), SettingsFault)


def test_files_that_are_missing_or_no_database(sqlite: Shop) -> None:
    assert "nosuch.db" in failure(sqlite.source(url="sqlite:///nosuch.db").check, SettingsFault).what
    assert not (sqlite.home / "nosuch.db").exists()
    failure(sqlite.source(url="sqlite:///away/shop.db").check, RetryLater)
    (sqlite.home / "text.db").write_text("This is no database, although it is long enough to be one. " * 20)
    assert "not a SQLite database" in failure(sqlite.source(url="sqlite:///text.db").check, SettingsFault).what


def test_a_locked_database_is_tried_again_later(sqlite: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LOCK", 0.05)
    source = sqlite.source()
    other = sqlite3.connect(sqlite.home / "shop.db", isolation_level=None)
    other.execute("begin exclusive")
    failure(lambda: source.mark(Kind.SALES_INVOICE, ["1001"], paid=False), RetryLater)
    failure(lambda: list(source.read(Kind.SALES_INVOICE, None, OPEN)), RetryLater)
    other.execute("rollback")
    other.close()
    source.mark(Kind.SALES_INVOICE, ["1001"], paid=False)
    assert sqlite.value("select Exported from Invoice where InvoiceNo = '1001'") == 1


def test_reading_leaves_no_file_beside_the_database(sqlite: Shop) -> None:
    source = sqlite.source()
    before = sorted(path.name for path in sqlite.home.iterdir())
    assert len(list(source.read(Kind.SALES_INVOICE, None, OPEN))) == 3
    assert sorted(path.name for path in sqlite.home.iterdir()) == before


def test_text_that_is_not_utf8_is_told_and_can_be_shown_record_by_record(sqlite: Shop) -> None:
    sqlite.run("update Customer set Name = cast(x'4dfc6c6c6572' as text) where Code = 'C2'")
    error = failure(lambda: list(sqlite.source().read(Kind.SALES_INVOICE, None, OPEN)), SettingsFault)
    assert "UTF-8" in error.what
    profile = SHOP_TOML.replace("p.Name as party_name", "cast(p.Name as blob) as party_name", 1)
    records = {record.key: record for record in sqlite.source(profile).read(Kind.SALES_INVOICE, None, OPEN)}
    assert [key for key, record in records.items() if isinstance(record, Unreadable)] == ["1002"]


def test_parties_are_not_written(sqlite: Shop) -> None:
    assert sqlite.source().manifest.write_parties == frozenset()
    with pytest.raises(NeedsUser):
        sqlite.source().write_parties(PartyKind.CUSTOMER, [])


def test_settings_that_are_missing(tmp_path: Path) -> None:
    given = Given("main", tmp_path, Secrets(), ZoneInfo("UTC"), {}, (PROFILES,))
    for section in ({"profile": "shop.toml"}, {"url": "sqlite:///shop.db"}):
        with pytest.raises(SettingsFault, match=r"\[routes\.main\.source\]"):
            open_source("sql", section, given)
    with pytest.raises(SettingsFault, match="no table"):
        sqlite_shop(tmp_path).source('[customer]\nquery = "select 1"\n', {"sales_invoice": "packing_list"})
