"""What a database or its driver says, turned into what happens next. Secrets never come through."""

import re
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from connector_service.domain.problems import ConnectorError, NeedsUser, Refused, RetryLater, SettingsFault
from connector_service.domain.status_codes import FaultCode

_DRIVERS: Final = {
    "psycopg": ("PostgreSQL", "postgresql"),
    "pymysql": ("MySQL and MariaDB", "mysql"),
    "pyodbc": ("ODBC databases such as SQL Server", "odbc"),
}
_AWAY: Final = "away"
_BUSY: Final = "busy"
_SIGN_IN: Final = "sign-in"
_RIGHT: Final = "right"
_NO_DRIVER: Final = "no driver"
_NO_DATABASE: Final = "no database"
_CONSTRAINT: Final = "constraint"
_READ_ONLY: Final = "read-only"
_STATEMENT: Final = "statement"
_ENCODING: Final = "encoding"
_NOT_A_DATABASE: Final = "not a database"
_KIND: Final = "kind"

# SQLSTATE classes and codes: PostgreSQL documentation, appendix A; ODBC reference, appendix A.
_STATES: Final[tuple[tuple[str, str], ...]] = (
    ("28", _SIGN_IN),
    ("3D000", _NO_DATABASE),
    ("42501", _RIGHT),
    ("25006", _READ_ONLY),
    ("55P03", _BUSY),
    ("57014", _BUSY),
    ("57P", _AWAY),
    ("40", _BUSY),
    ("53", _BUSY),
    ("08", _AWAY),
    ("HYT", _AWAY),
    ("23", _CONSTRAINT),
    ("IM002", _NO_DRIVER),
    ("IM003", _NO_DRIVER),
    ("IM004", _NO_DRIVER),
    ("42", _STATEMENT),
    ("22", _STATEMENT),
)
# MySQL 8.0 and MariaDB error references.
_NUMBERS: Final[dict[int, str]] = {
    **dict.fromkeys((1045, 1698, 1251, 2059), _SIGN_IN),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370), _RIGHT),
    1049: _NO_DATABASE,
    **dict.fromkeys((1205, 1213, 1969, 3024, 1040, 1203), _BUSY),
    **dict.fromkeys((1053, 1927, 2002, 2003, 2005, 2006, 2013, 2014, 2055, 4031), _AWAY),
    **dict.fromkeys((1062, 1048, 1451, 1452, 3819, 4025, 1644), _CONSTRAINT),
    **dict.fromkeys((1792, 1290, 1836), _READ_ONLY),
}
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"could not decode|codec can't decode", _ENCODING),
    (r"not a database|disk image is malformed", _NOT_A_DATABASE),
    (r"can't open lib|data source name not found|driver manager", _NO_DRIVER),
    (
        r"password authentication failed|no password supplied|login failed|access denied for user|role .* does not",
        _SIGN_IN,
    ),
    (r"no pg_hba\.conf entry|permission denied|permission was denied|not authorized|command denied", _RIGHT),
    (r"database .* does not exist|unknown database|cannot open database", _NO_DATABASE),
    (r"database is locked|table is locked|deadlock|lock wait|timeout expired|too many connections", _BUSY),
    (r"constraint failed|constraint violation", _CONSTRAINT),
    (r"readonly database|read-only|read only", _READ_ONLY),
    (r"no such (table|column)|syntax error|does not exist|incomplete input|ambiguous column", _STATEMENT),
    (r"connection (failed|refused|timed out|reset|is lost|is closed|was closed|not open)|server closed", _AWAY),
    (r"could not translate host|name or service|unable to open database|disk i/o|lost connection|gone away", _AWAY),
)


def original(error: BaseException) -> BaseException:
    """The driver's own exception inside SQLAlchemy's."""
    inner = error.orig if isinstance(error, DBAPIError) else None
    return inner if inner is not None else error


def nature(error: BaseException) -> str:
    """What kind of trouble it is, by SQLSTATE, number and, where a driver has neither, its words."""
    raw = original(error)
    if isinstance(error, NoSuchModuleError):
        return _KIND
    if getattr(error, "connection_invalidated", False):
        return _AWAY
    state = getattr(raw, "sqlstate", None) or (raw.args[0] if raw.args and isinstance(raw.args[0], str) else "")
    if isinstance(state, str) and re.fullmatch(r"[0-9A-Z]{5}", state) and state not in ("HY000", "42000", "01000"):
        for start, what in _STATES:
            if state.startswith(start):
                return what
    if raw.args and isinstance(raw.args[0], int) and raw.args[0] in _NUMBERS:
        return _NUMBERS[raw.args[0]]
    text = str(raw).lower()
    for pattern, what in _WORDS:
        if re.search(pattern, text):
            return what
    name = type(raw).__name__
    return (
        _CONSTRAINT
        if name == "IntegrityError"
        else _AWAY
        if name in ("InterfaceError", "InternalError")
        else _STATEMENT
    )


_PROFILE: Final = (
    "Correct the statement in the profile: tables and columns are named as in the database, and `since_format` says "
    "how `changed_at` is compared where it is no date and time."
)

# What happens next, what it is, what to do, and the code of the issue, for each nature.
_ANSWERS: Final[dict[str, tuple[type[ConnectorError], str, str, str]]] = {
    _AWAY: (
        RetryLater,
        "The database cannot be reached.",
        "It is tried again by itself. If this stays, check that the server is on and that `url` is right.",
        "SOURCE_UNREACHABLE",
    ),
    _BUSY: (RetryLater, "The database is busy.", "It is tried again by itself.", "SOURCE_UNREACHABLE"),
    _SIGN_IN: (
        NeedsUser,
        "The database did not accept the user name or the password.",
        "Give them again with `connector secret set ROUTE username` and `connector secret set ROUTE password`.",
        "SIGN_IN_NEEDED",
    ),
    _RIGHT: (
        NeedsUser,
        "The database user lacks a right{at}.",
        "Ask the administrator of the database to grant it: select for reading, update for marks.",
        FaultCode.RIGHT_MISSING,
    ),
    _NO_DRIVER: (
        NeedsUser,
        "The driver that `url` names is not installed on this computer.",
        "Install the ODBC driver, or name one that is there; for SQL Server it is “ODBC Driver 18 for SQL Server”.",
        "DRIVER_MISSING",
    ),
    _NO_DATABASE: (
        SettingsFault,
        "There is no such database on the server.",
        "Correct the name at the end of `url`.",
        "SETTINGS_WRONG",
    ),
    _CONSTRAINT: (
        Refused,
        "The database refused a mark{at}; none of this call was kept.",
        "Correct the statement in the profile, or the record in the source system.",
        "WRITEBACK_FAILED",
    ),
    _READ_ONLY: (
        SettingsFault,
        "A statement tries to write where only reading is possible{at}.",
        "Only mark_exported and mark_paid may write, and the database or its file must allow it.",
        "SETTINGS_WRONG",
    ),
    _ENCODING: (
        SettingsFault,
        "A text in the database is not in UTF-8{at}.",
        "Let the profile select that column as bytes, cast(Name as blob): then the records concerned are shown singly.",
        "SETTINGS_WRONG",
    ),
    _NOT_A_DATABASE: (
        SettingsFault,
        "The file that `url` names is not a SQLite database.",
        "Correct `url`, or restore the file from a backup.",
        "SETTINGS_WRONG",
    ),
    _STATEMENT: (SettingsFault, "The database did not understand a statement{at}.", _PROFILE, "SETTINGS_WRONG"),
    _KIND: (
        SettingsFault,
        "The kind of database in `url` is not known.",
        "Begin the address with sqlite, postgresql, mysql, mariadb, mssql+pyodbc or odbc.",
        "SETTINGS_WRONG",
    ),
}


def translate(error: BaseException, place: str, secrets: tuple[str, ...]) -> ConnectorError:
    """The error as engine and user understand it; ``place`` is the profile and statement, if one was running."""
    make, what, fix, code = _ANSWERS[nature(error)]
    at = f" ({place})" if place else ""
    return make(what.replace("{at}", at), why=f"The database says: {words(error, secrets)}", fix=fix, code=code)


def missing_driver(error: ModuleNotFoundError) -> NeedsUser:
    """The Python package for a kind of database is not there."""
    kind, extra = _DRIVERS.get(error.name or "", ("this kind of database", ""))
    install = f"pip install 'connector-service[{extra}]'" if extra else f"pip install {error.name}"
    return NeedsUser(
        f"The driver for {kind} is not installed.",
        why=f"The Python package {error.name} is missing.",
        fix=f"Install it with {install}, and start the service again.",
        code="DRIVER_MISSING",
    )


def words(error: BaseException, secrets: tuple[str, ...]) -> str:
    """What the database said, on one line, short, without secrets."""
    raw: Any = original(error)
    args = [str(part) for part in raw.args if isinstance(part, str)] if isinstance(raw, Exception) else []
    text = args[-1] if args and not isinstance(raw, SQLAlchemyError) else str(raw)
    text = " ".join(text.split())
    for secret in secrets:
        if secret:
            text = text.replace(secret, "•••")
    text = re.sub(r"(?i)\b(pwd|password)\s*=\s*(\{[^}]*\}|[^;\s]+)", r"\1=•••", text)
    return text if len(text) <= 300 else f"{text[:299]}…"


def secret_missing(name: str) -> NeedsUser:
    """The address wants a secret that is not stored."""
    return NeedsUser(
        f"The {name} for the database is not stored yet.",
        why=f"`url` of the source has {{{name}}} in it.",
        fix=f"Give it with `connector secret set ROUTE {name}`.",
        code="SIGN_IN_NEEDED",
    )
