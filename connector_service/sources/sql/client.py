"""Connections to a database: the only file that knows addresses. Reads cannot write, and writes are one transaction."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Compiled
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from connector_service.domain.problems import RetryLater, SettingsFault
from connector_service.sources.sql import errors
from connector_service.sources.sql.mapping import bare
from connector_service.sources.sql.wire import Answer, Bound, Dialect

_CHUNK: Final = 500
"""Rows fetched in one go: one round trip where the database has a cursor of its own."""
_WAIT: Final = 15
"""Seconds to wait for a connection."""
_LOCK: Final = 30
"""Seconds to wait for a lock."""
_LIMIT: Final = 1800
"""Seconds that a statement may take at the server."""
_DEFAULT_DRIVERS: Final = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mssql": "mssql+pyodbc",
}
_SECRET_KEYS: Final = ("uid", "user", "username", "pwd", "password", "driver")


class OdbcDialect(PyODBCConnector, DefaultDialect):
    """Any ODBC database, by DSN or connection string: statements go through as they are."""

    name = "odbc"
    driver = "pyodbc"
    supports_statement_cache = True


registry.register("odbc", __name__, "OdbcDialect")


class Database:
    """One database. Reading and marking have their own connections; the reading one has no way to write."""

    def __init__(self, url: str, home: Path, zone: tzinfo, username: str = "", password: str = "") -> None:
        """Understand the address, without connecting. Raises ``SettingsFault`` or ``NeedsUser``."""
        self._secrets: tuple[str, ...] = tuple(
            secret for secret in (password, quote(password, safe="")) if len(secret) > 0
        )
        self._zone = zone
        self._home = home
        self._url = _understood(url, username, password)
        if isinstance(self._url.password, str):
            self._secrets += (self._url.password,)
        known = self._url.get_backend_name()
        self.dialect = Dialect(known) if known in list(Dialect) else Dialect.ODBC
        self._file = self._sqlite_file() if self.dialect is Dialect.SQLITE else None
        self._engines: dict[bool, Engine] = {}
        self.may_write = False
        """Whether the profile has marks, so that what a crash left of one may be taken back."""

    def _sqlite_file(self) -> Path:
        name = self._url.database or ""
        if name in ("", ":memory:"):
            raise SettingsFault(
                "The address of the database names no file.",
                why="`url` is a SQLite address without one.",
                fix="Write it as sqlite:///shop.db; a relative file lies in the data folder.",
                code="SETTINGS_WRONG",
            )
        # A file: address would bring options with it, such as one that takes the read-only mode away.
        return self._home / name.removeprefix("file:").partition("?")[0]

    def identity(self) -> str:
        """Which database this is: no user, no password, and of a path only what lies below the data folder."""
        url = self._url
        if self._file is not None:
            path, home = self._file.resolve(), self._home.resolve()
            if path.is_relative_to(home):
                return f"sql:sqlite:{path.relative_to(home).as_posix()}"
            return f"sql:sqlite:{path.name}#{_digest(str(path))}"
        options = dict(url.query)
        rest = ""
        if "odbc_connect" in options:
            pairs = [part.partition("=") for part in str(options["odbc_connect"]).split(";") if "=" in part]
            rest = "#" + _digest(
                ";".join(
                    sorted(f"{k.strip().lower()}={v}" for k, _, v in pairs if k.strip().lower() not in _SECRET_KEYS)
                )
            )
        port = f":{url.port}" if url.port else ""
        return f"sql:{url.get_backend_name()}:{(url.host or '').lower()}{port}/{url.database or ''}{rest}"

    def quote(self, name: str) -> str:
        """A column's name, safe to stand in a statement whatever it is."""
        return self._engine(write=False).dialect.identifier_preparer.quote_identifier(name)

    @contextmanager
    def query(self, statement: str, values: Mapping[str, Bound], place: str) -> Iterator[Answer]:
        """Run a query and stream its rows, as plain tuples of the driver, within a transaction that cannot write."""
        with self._translated(place):
            engine = self._engine(write=False)
            self._take_back_unfinished()
            connection = engine.connect()
        try:
            with self._translated(place):
                compiled = text(bare(statement)).bindparams(**values).compile(dialect=connection.dialect)
                cursor = _cursor(self.dialect, connection.connection)
                cursor.execute(compiled.string, _driver_values(compiled))
            if not cursor.description:
                raise SettingsFault(
                    f"A query gave no rows back ({place}).",
                    fix="Let it be one select statement.",
                    code="SETTINGS_WRONG",
                )
            fields = tuple(str(column[0]).lower() for column in cursor.description)
            try:
                yield Answer(fields, self._rows(cursor, place))
            finally:
                _let_go(connection, cursor)
        finally:
            connection.close()

    def _rows(self, cursor: Any, place: str) -> Iterator[tuple[Any, ...]]:
        fetch = cursor.fetchmany
        while True:
            with self._translated(place):
                rows = fetch(_CHUNK)
            if not rows:
                return
            yield from rows

    def write(self, statement: str, rows: Sequence[Mapping[str, Bound]], place: str, keep: bool = True) -> None:
        """Run a statement for each row in one transaction, all or none; with ``keep`` false it is undone at the end."""
        with (
            self._translated(place),
            self._engine(write=True).connect() as connection,
            connection.begin() as transaction,
        ):
            connection.execute(text(bare(statement)), list(rows))
            if not keep:
                transaction.rollback()

    @contextmanager
    def _translated(self, place: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise errors.translate(error, place, self._secrets) from None
        except self._driver_errors() as error:
            raise errors.translate(error, place, self._secrets) from None

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        """Errors of the driver itself, which come out of its cursor; UnicodeDecodeError is a text that is not UTF-8."""
        modules: list[Any] = [engine.dialect.dbapi for engine in self._engines.values()]
        return (UnicodeDecodeError, *(module.Error for module in modules))

    def _take_back_unfinished(self) -> None:
        """Let SQLite undo a transaction that a crash cut off: a connection that may only read cannot, and fails.

        A journal that belongs to a transaction still under way is left alone by SQLite itself
        (sqlite.org, "File locking and concurrency", hot journals).
        """
        if self._file is None or not self.may_write:
            return
        journal = self._file.with_name(f"{self._file.name}-journal")
        if not journal.exists() or not journal.stat().st_size:
            return
        connection = sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=rw", uri=True, timeout=_LOCK)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()

    def _engine(self, *, write: bool) -> Engine:
        if self._file is not None:
            _must_exist(self._file, self._home)
        if write not in self._engines:
            try:
                self._engines[write] = self._make(write)
            except ModuleNotFoundError as error:
                raise errors.missing_driver(error) from error
            except (ArgumentError, SQLAlchemyError) as error:
                raise errors.translate(error, "", self._secrets) from None
        return self._engines[write]

    def _make(self, write: bool) -> Engine:
        if self._file is not None:
            address = f"{self._file.absolute().as_uri()}?mode={'rw' if write else 'ro'}"
            return create_engine(
                "sqlite://",
                creator=lambda: sqlite3.connect(address, uri=True, timeout=_LOCK, check_same_thread=False),
                poolclass=NullPool,
            )
        options: dict[str, Any] = {}
        if self.dialect is Dialect.POSTGRESQL:
            options = {"connect_timeout": _WAIT, "application_name": "connector-service"}
        elif self.dialect in (Dialect.MYSQL, Dialect.MARIADB):
            options = {"connect_timeout": _WAIT, "charset": "utf8mb4"}
        elif self._url.get_driver_name() == "pyodbc":
            options = {"timeout": _WAIT, "readonly": not write}
        engine = create_engine(
            self._url, connect_args=options, pool_size=1, max_overflow=2, pool_pre_ping=True, pool_recycle=900
        )
        event.listen(engine, "connect", _session(self.dialect, self._zone, write))
        return engine

    def close(self) -> None:
        """Close the connections that are kept."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def _understood(url: str, username: str, password: str) -> URL:
    filled = url
    for name, value in (("username", username), ("password", password)):
        place = "{" + name + "}"
        if place not in filled:
            continue
        if not value:
            raise errors.secret_missing(name)
        at = filled.index(place)
        # Within an ODBC connection string a value stands in braces, so that it may hold any sign.
        inside = "odbc_connect=" in filled[:at].lower()
        filled = filled.replace(place, quote("{" + value.replace("}", "}}") + "}" if inside else value, safe=""))
    try:
        made = make_url(filled)
    except (ArgumentError, ValueError):
        raise SettingsFault(
            "The address of the database cannot be understood.",
            why="`url` of the source is not of the form system://user@host/database.",
            fix="Write it as sqlite:///shop.db or postgresql://{username}:{password}@host/shop.",
            code="SETTINGS_WRONG",
        ) from None
    if made.username and not made.password and password:
        made = made.set(password=password)
    return made.set(drivername=_DEFAULT_DRIVERS.get(made.drivername, made.drivername))


def _must_exist(file: Path, home: Path) -> None:
    if file.is_file():
        return
    named = file.relative_to(home) if file.is_relative_to(home) else file
    if file.parent.is_dir():
        raise SettingsFault(
            f"There is no database file {named}.",
            why="`url` of the source names it, and a relative file lies in the data folder.",
            fix="Correct `url`, or put the file there.",
            code="SETTINGS_WRONG",
        )
    raise RetryLater(
        f"The folder of the database file {named} cannot be reached.",
        why="It may be on a drive or a share that is not connected.",
        fix="It is tried again by itself. If this stays, connect the drive or correct `url`.",
        code="SOURCE_UNREACHABLE",
    )


def _session(dialect: Dialect, zone: tzinfo, write: bool) -> Callable[[Any, Any], None]:
    """What each new connection is told: no writing, how long to wait, and the zone in which instants become dates."""
    statements: list[str] = []
    if dialect is Dialect.POSTGRESQL:
        statements = [f"SET statement_timeout = '{_LIMIT}s'", f"SET lock_timeout = '{_LOCK}s'"]
        key = getattr(zone, "key", "")
        if key:
            statements.append(f"SET TIME ZONE '{key}'")
        if not write:
            statements.append("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    elif dialect in (Dialect.MYSQL, Dialect.MARIADB):
        statements = [f"SET SESSION innodb_lock_wait_timeout = {_LOCK}", f"SET SESSION lock_wait_timeout = {_LOCK}"]
        if not write:
            statements.append("SET SESSION TRANSACTION READ ONLY")
    elif dialect is Dialect.MSSQL:
        statements = [f"SET LOCK_TIMEOUT {_LOCK * 1000}"]

    def prepare(connection: Any, _record: Any) -> None:
        limit = _mysql_limit(connection) if dialect in (Dialect.MYSQL, Dialect.MARIADB) else []
        cursor = connection.cursor()
        for statement in (*statements, *limit):
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    return prepare


def _mysql_limit(connection: Any) -> list[str]:
    # MariaDB counts seconds for every statement, MySQL milliseconds for selects; neither knows the other's name.
    if "MariaDB" in connection.get_server_info():
        return [f"SET SESSION max_statement_time = {_LIMIT}"]
    return [f"SET SESSION max_execution_time = {_LIMIT * 1000}"]


def _cursor(dialect: Dialect, connection: PoolProxiedConnection) -> Any:
    """A cursor of the driver that streams. SQLAlchemy's own result would fetch ahead, and make an object a row."""
    raw: Any = connection
    if dialect is Dialect.POSTGRESQL:
        return raw.cursor("connector_read")
    if dialect in (Dialect.MYSQL, Dialect.MARIADB):
        from pymysql.cursors import SSCursor

        return raw.cursor(SSCursor)
    return raw.cursor()


def _driver_values(compiled: Compiled) -> Any:
    """Bound values as the driver wants them: by name or by position."""
    values = compiled.params
    order = getattr(compiled, "positiontup", None)
    return values if order is None else tuple(values[name] for name in order)


def _let_go(connection: Connection, cursor: Any) -> None:
    """Close a cursor that may have rows left. PyMySQL would fetch them all first, so there the connection goes."""
    result: Any = getattr(cursor, "_result", None)
    if result is not None and getattr(result, "unbuffered_active", False):
        # Else the result, when it is thrown away, goes on reading from the closed connection.
        result.unbuffered_active = False
        connection.invalidate()
    else:
        cursor.close()


def _digest(value: str) -> str:
    return blake2b(value.encode(), digest_size=6).hexdigest()
