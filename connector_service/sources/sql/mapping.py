"""Pure functions between the domain and what is bound to a statement."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from connector_service.contract.source import FIRST_DATE, LAST_DATE, Window
from connector_service.sources.shared.heads import head_fields
from connector_service.sources.shared.profile import KindProfile, parameters
from connector_service.sources.sql.wire import Bound, Dialect

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the source's own clock
_BEGINNING: Final = datetime(1, 1, 1)  # noqa: DTZ001 - the same
_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)


def since_value(table: KindProfile, since: datetime | None, dialect: Dialect) -> Bound:
    """The bound value of ``:since``, in a form that leaves out no record that changed at or after it.

    It may let a few through that changed shortly before: the form never names more than the column may hold.
    """
    moment = _BEGINNING if since is None else since
    form = table.since_format
    if "%" in form:
        return formatted(_face(moment), form)
    match form:
        case "epoch":
            return (_face(moment) - _EPOCH) // _SECOND
        case "epoch_ms":
            return (_face(moment) - _EPOCH) // timedelta(milliseconds=1)
        case "date":
            day = _face(moment).date()
            return day.isoformat() if dialect.compares_texts else day
    if dialect.compares_texts:
        return shortest_text(_face(moment))
    if dialect is Dialect.ODBC and since is not None:
        # A driver may turn the value into a text with more digits than the column's, which then sorts behind it.
        return moment.replace(microsecond=0) - _SECOND
    return moment


def shortest_text(moment: datetime) -> str:
    """The shortest ISO text that names the moment's second, with a blank between date and time.

    As a text it sorts before, or is, every ISO text of the same or a later moment: ``2026-11-20`` <= ``2026-11-20
    00:00:00``, and a blank sorts before ``T``. So it compares rightly whatever form the column has.
    """
    if moment.second:
        return moment.replace(microsecond=0).isoformat(" ")
    return moment.isoformat(" ", "minutes") if moment.hour or moment.minute else moment.date().isoformat()


def formatted(moment: datetime, form: str) -> str:
    """The moment in a strftime format; years always have four digits, which strftime does not promise."""
    parts = {
        "%Y": f"{moment.year:04}",
        "%m": f"{moment.month:02}",
        "%d": f"{moment.day:02}",
        "%H": f"{moment.hour:02}",
        "%M": f"{moment.minute:02}",
        "%S": f"{moment.second:02}",
        "%f": f"{moment.microsecond:06}",
    }
    for directive, text in parts.items():
        form = form.replace(directive, text)
    return form


def _face(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def day_value(table: KindProfile, day: date, dialect: Dialect) -> Bound:
    """The bound value of ``:from_date`` or ``:to_date``."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a plain date
    if "%" in table.date_format:
        return formatted(midnight, table.date_format)
    if dialect is Dialect.MSSQL:
        # A `date` would be turned into the column's `datetime`, which knows nothing before 1753; this becomes a
        # `datetime2`, into which the column is turned instead (Transact-SQL reference, data type precedence).
        return midnight
    return day.isoformat() if dialect is Dialect.SQLITE else day


def query_values(table: KindProfile, since: datetime | None, window: Window, dialect: Dialect) -> dict[str, Bound]:
    """Bound values of a table's query.

    The window is a day wider at each end than what is asked for, since a column may have a time of day or a zone; what
    is read is compared with the window itself afterwards.
    """
    first = window.first if window.first == FIRST_DATE else window.first - _DAY
    last = window.last if window.last == LAST_DATE else window.last + _DAY
    return _used(
        table.query,
        {
            "since": since_value(table, since, dialect),
            "from_date": day_value(table, first, dialect),
            "to_date": day_value(table, last, dialect),
        },
    )


def probe_values(table: KindProfile, window: Window, dialect: Dialect) -> dict[str, Bound]:
    """Bound values of a table's probe: the window as it is, so that the same window always counts the same."""
    return _used(
        table.probe,
        {"from_date": day_value(table, window.first, dialect), "to_date": day_value(table, window.last, dialect)},
    )


def _used(statement: str, values: dict[str, Bound]) -> dict[str, Bound]:
    names = parameters(statement)
    return {name: value for name, value in values.items() if name in names}


def head_query(table: KindProfile, fields: tuple[str, ...], quote: Callable[[str], str]) -> str:
    """The table's query with only the columns that heads need, so that the database builds no others."""
    names = ", ".join(quote(name) for name in head_fields(table) if name in fields)
    # The line's end before the bracket closes a comment at the end of the query.
    return f"select {names} from (\n{bare(table.query)}\n) connector_heads"  # noqa: S608 - the profile's own statement


def bare(statement: str) -> str:
    """A statement without the semicolon that may end it."""
    return statement.strip().rstrip(";").rstrip()
