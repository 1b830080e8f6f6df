"""A shop in each of the four databases, made anew for each test, with the source that reads it."""

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from connector_service.contract.registry import Given, open_source
from connector_service.sources.sql.adapter import SqlSource
from tests.systems.sql import servers
from tests.systems.sql.rows import ROWS

ROOT: Final = Path(__file__).resolve().parents[3]
PROFILES: Final = ROOT / "config" / "profiles"
SCHEMA: Final = (PROFILES / "shop.sql").read_text(encoding="utf-8")
DATABASES: Final = ("sqlite", "postgresql", "mariadb", "odbc")
STANDING: Final = "standing"


class Secrets:
    """A vault in memory."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def get(self, route: str, name: str) -> str | None:
        return self.values.get(name)

    def set(self, route: str, name: str, value: str) -> None:
        self.values[name] = value

    def remove(self, route: str, name: str) -> bool:
        return self.values.pop(name, None) is not None

    def names(self, route: str) -> Sequence[str]:
        return sorted(self.values)


@dataclass
class Shop:
    """A database with the shop in it."""

    kind: str
    home: Path
    url: str
    run: Callable[..., list[tuple[Any, ...]]]
    """Run a statement as the administrator, with ``?`` for values; committed at once."""
    secrets: Secrets = field(default_factory=Secrets)
    port: int = 0
    opened: list[SqlSource] = field(default_factory=list)

    @property
    def engine(self) -> str:
        """The database behind the driver."""
        return "sqlite" if self.kind == "odbc" else self.kind

    def source(
        self, profile: str | None = None, alternatives: dict[str, str] | None = None, url: str = ""
    ) -> SqlSource:
        """The source with the shop's profile, or with the text of another."""
        name = "shop.toml"
        if profile is not None:
            name = "mine.toml"
            (self.home / name).write_text(profile, encoding="utf-8")
        given = Given("main", self.home, self.secrets, ZoneInfo("Europe/Amsterdam"), alternatives or {}, (PROFILES,))
        source = open_source("sql", {"url": url or self.url, "profile": name}, given)
        assert isinstance(source, SqlSource)
        self.opened.append(source)
        return source

    def insert(self, table: str, values: dict[str, Any]) -> None:
        marks = ", ".join("?" for _ in values)
        self.run(f"insert into {table} ({', '.join(values)}) values ({marks})", *values.values())

    def value(self, statement: str, *values: Any) -> Any:
        return self.run(statement, *values)[0][0]


def statements(kind: str) -> list[str]:
    text = re.sub(r"--[^\n]*", "", SCHEMA)
    if kind == "postgresql":
        text = re.sub(r"\bdatetime\b", "timestamp", text)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def _fill(shop: Shop) -> None:
    for statement in statements(shop.engine):
        shop.run(statement)
    for table, values in ROWS:
        shop.insert(table, values)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[servers.Server]:
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[servers.Server]:
    with servers.mariadb() as server:
        yield server


def sqlite_shop(home: Path) -> Shop:
    file = home / "shop.db"

    def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return Shop("sqlite", home, "sqlite:///shop.db", run)


def odbc_shop(home: Path) -> Shop:
    pyodbc = pytest.importorskip("pyodbc", reason="pyodbc is not installed", exc_type=ImportError)
    drivers = [name for name in pyodbc.drivers() if name.upper().startswith("SQLITE3")]
    if not drivers:
        pytest.skip("no ODBC driver to try it with (Debian: unixodbc and libsqliteodbc)")
    shop = sqlite_shop(home)
    shop.kind = "odbc"
    shop.url = f"odbc:///?odbc_connect=DRIVER={drivers[0]};DATABASE={home / 'shop.db'};Timeout=200;LongNames=1"
    return shop


def postgresql_shop(home: Path, server: servers.Server, name: str) -> Shop:
    with servers.postgres_connection(server.port) as admin:
        admin.execute(f"drop database if exists {name} with (force)")
        admin.execute(f"create database {name}")

    def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with servers.postgres_connection(server.port, name) as admin:
            cursor = admin.execute(
                statement.replace("%", "%%").replace("?", "%s") if values else statement, values or None
            )
            return cursor.fetchall() if cursor.description else []

    url = f"postgresql://{{username}}:{{password}}@127.0.0.1:{server.port}/{name}"
    shop = Shop("postgresql", home, url, run, Secrets(username=servers.USER, password=servers.PASSWORD), server.port)
    run(f'alter default privileges grant select, update on tables to "{servers.USER}"')
    return shop


def mariadb_shop(home: Path, server: servers.Server, name: str) -> Shop:
    with servers.mariadb_connection(server.port) as admin:
        admin.execute(f"drop database if exists {name}")
        admin.execute(f"create database {name} character set utf8mb4")
        admin.execute(f"revoke all privileges, grant option from '{servers.USER}'@'%'")
        admin.execute(f"grant select, update on {STANDING}.* to '{servers.USER}'@'%'")
        admin.execute(f"grant select, update on {name}.* to '{servers.USER}'@'%'")

    def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with servers.mariadb_connection(server.port, name) as admin:
            admin.execute(statement.replace("%", "%%").replace("?", "%s") if values else statement, values or None)
            return list(admin.fetchall())

    url = f"mysql://{{username}}:{{password}}@127.0.0.1:{server.port}/{name}"
    return Shop("mariadb", home, url, run, Secrets(username=servers.USER, password=servers.PASSWORD), server.port)


def make_shop(kind: str, home: Path, request: pytest.FixtureRequest, name: str = "shop") -> Shop:
    """An empty shop of one kind of database."""
    match kind:
        case "sqlite":
            return sqlite_shop(home)
        case "odbc":
            return odbc_shop(home)
        case "postgresql":
            return postgresql_shop(home, request.getfixturevalue("postgresql_server"), name)
    return mariadb_shop(home, request.getfixturevalue("mariadb_server"), name)


@pytest.fixture(params=DATABASES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """The shop of ``rows``, in each database."""
    made = make_shop(request.param, tmp_path, request)
    _fill(made)
    yield made
    for source in made.opened:
        source.close()


@pytest.fixture(scope="session", params=DATABASES)
def standing_shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The same, made once, for tests that change nothing."""
    made = make_shop(request.param, tmp_path_factory.mktemp("standing"), request, STANDING)
    _fill(made)
    return made


@pytest.fixture
def standing(standing_shop: Shop) -> Iterator[Shop]:
    """The same, whose sources are closed after each test."""
    yield standing_shop
    while standing_shop.opened:
        standing_shop.opened.pop().close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Shop]:
    """The shop in SQLite only."""
    made = sqlite_shop(tmp_path)
    _fill(made)
    yield made
    for source in made.opened:
        source.close()
