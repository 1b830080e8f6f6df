"""What drivers say becomes what happens next, and no secret comes through."""

import sqlite3
from typing import Any

import pytest

from connector_service.domain.problems import ConnectorError, NeedsUser, Refused, RetryLater, SettingsFault
from connector_service.sources.sql.errors import missing_driver, translate, words

SECRET = "p@ss w/o"


class Driver(Exception):
    """An error of a driver: arguments as they come, a state where it has one."""

    def __init__(self, *args: Any, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Driver("x", sqlstate="28P01"), NeedsUser),
        (Driver("x", sqlstate="42501"), NeedsUser),
        (Driver("x", sqlstate="57P01"), RetryLater),
        (Driver("x", sqlstate="55P03"), RetryLater),
        (Driver("x", sqlstate="40P01"), RetryLater),
        (Driver("x", sqlstate="08006"), RetryLater),
        (Driver("x", sqlstate="23505"), Refused),
        (Driver("x", sqlstate="25006"), SettingsFault),
        (Driver("x", sqlstate="42703"), SettingsFault),
        (Driver("x", sqlstate="3D000"), SettingsFault),
        (Driver(1045, "Access denied"), NeedsUser),
        (Driver(1142, "SELECT command denied"), NeedsUser),
        (Driver(2013, "Lost connection"), RetryLater),
        (Driver(1205, "Lock wait timeout exceeded"), RetryLater),
        (Driver(1062, "Duplicate entry"), Refused),
        (Driver(1792, "Cannot execute statement in a READ ONLY transaction"), SettingsFault),
        (Driver(1054, "Unknown column"), SettingsFault),
        (
            Driver("28000", "[28000] [Microsoft][ODBC Driver 18 for SQL Server] Login failed for user 'x'. (18456)"),
            NeedsUser,
        ),
        (Driver("42000", "[42000] The SELECT permission was denied on the object 'Invoice'. (229)"), NeedsUser),
        (Driver("42S22", "[42S22] Invalid column name 'x'. (207)"), SettingsFault),
        (Driver("08001", "[08001] TCP Provider: the wait operation timed out"), RetryLater),
        (Driver("HYT00", "[HYT00] Login timeout expired"), RetryLater),
        (Driver("40001", "[40001] Transaction was deadlocked"), RetryLater),
        (Driver("IM002", "[IM002] Data source name not found and no default driver specified"), NeedsUser),
        (Driver("01000", "[01000] Can't open lib 'x' : file not found"), NeedsUser),
        (Driver("42000", '[42000] Cannot open database "x" requested by the login'), SettingsFault),
        (sqlite3.OperationalError("database is locked"), RetryLater),
        (sqlite3.OperationalError("attempt to write a readonly database"), SettingsFault),
        (sqlite3.OperationalError("no such column: x"), SettingsFault),
        (sqlite3.OperationalError("disk I/O error"), RetryLater),
        (sqlite3.DatabaseError("file is not a database"), SettingsFault),
        (sqlite3.IntegrityError("UNIQUE constraint failed: x"), Refused),
    ],
)
def test_errors_by_what_happens_next(error: Exception, kind: type[ConnectorError]) -> None:
    made = translate(error, "shop.toml, [sales_invoice] query", (SECRET,))
    assert type(made) is kind
    assert made.fix
    assert str(error.args[-1])[:10] in made.why


@pytest.mark.parametrize(
    "said",
    [
        f"cannot sign in with {SECRET}",
        "DRIVER={x};SERVER=y;UID=z;PWD={p@ss w/o};A=b",
        "host=x user=y password=p@ss dbname=z",
    ],
)
def test_no_secret_comes_through(said: str) -> None:
    text = words(Driver(said), (SECRET,))
    assert "p@ss" not in text
    assert "•••" in text


def test_what_is_said_is_one_short_line() -> None:
    text = words(Driver("first\n  second " + "x" * 1000), ())
    assert text.startswith("first second x")
    assert len(text) == 300


def test_a_driver_that_is_not_known_names_its_package() -> None:
    assert "pip install oracledb" in missing_driver(ModuleNotFoundError(name="oracledb")).fix
