"""The source ``sql``: reads what the profile says, and marks what it has statements for."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from typing import Final

from connector_service.contract.manifest import SourceManifest
from connector_service.contract.registry import Surroundings
from connector_service.contract.source import FIRST_DATE, LAST_DATE, Probe, Window
from connector_service.domain.documents import Head, SourceRecord, Unreadable
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.parties import Party
from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.sources.shared.columns import check_fields
from connector_service.sources.shared.fields import AnyKind
from connector_service.sources.shared.heads import HeadBuilder, has_heads, head_of
from connector_service.sources.shared.parties import PartyBuilder
from connector_service.sources.shared.profile import KindProfile, load_profile, parameters
from connector_service.sources.shared.records import RecordBuilder
from connector_service.sources.shared.values import as_text
from connector_service.sources.sql.client import Database
from connector_service.sources.sql.manifest import MANIFEST
from connector_service.sources.sql.mapping import head_query, probe_values, query_values

_OPEN: Final = Window()
_NOBODY: Final = "-1"
"""A key that no record has, for trying a mark without marking; a number, since the column may be one."""
_FUTURE: Final = datetime(9998, 1, 1)  # noqa: DTZ001 - the source's own clock
_NEVER: Final = Window(LAST_DATE, FIRST_DATE)


def open_source(section: dict[str, str], surroundings: Surroundings) -> "SqlSource":
    """Make the source from its section of the settings, without connecting; raises ``SettingsFault``, ``NeedsUser``."""
    for name in ("url", "profile"):
        if not section.get(name):
            raise SettingsFault(
                f"`{name}` is missing in the source of route {surroundings.route}.",
                why="A database is read by its address and a profile.",
                fix=f'Add {name} = "…" to [routes.{surroundings.route}.source].',
                code="SETTINGS_WRONG",
            )
    profile = load_profile(surroundings.find_profile(section["profile"]), "sql")
    vault = surroundings.vault
    database = Database(
        section["url"],
        surroundings.home,
        surroundings.timezone,
        vault.get(surroundings.route, "username") or "",
        vault.get(surroundings.route, "password") or "",
    )
    return SqlSource(database, profile.chosen(surroundings.alternatives), surroundings.timezone)


class SqlSource:
    """A database that is read as a profile says. Implements ``contract.source.Source``."""

    manifest: SourceManifest = MANIFEST

    def __init__(self, database: Database, tables: dict[AnyKind, KindProfile], zone: tzinfo) -> None:
        """Take the database and the tables of the profile that the route chose."""
        self._database = database
        database.may_write = any(table.mark_exported or table.mark_paid for table in tables.values())
        self._tables = tables
        self._zone = zone
        self._columns: dict[AnyKind, tuple[str, ...]] = {}

    def identity(self) -> str:
        """Dialect, host, port and database (of SQLite: the file), without the user."""
        return self._database.identity()

    def kinds(self) -> frozenset[Kind]:
        """The kinds for which the profile has a table."""
        return frozenset(kind for kind in self._tables if isinstance(kind, Kind))

    def can_mark(self, kind: Kind, paid: bool) -> bool:
        """Whether the profile has a statement for it."""
        table = self._tables.get(kind)
        return bool(table and (table.mark_paid if paid else table.mark_exported))

    def check(self) -> None:
        """Run every query for nothing, and every mark for a key that no record has, undone at once."""
        for kind, table in self._tables.items():
            values = query_values(table, _FUTURE, _NEVER, self._database.dialect)
            with self._database.query(table.query, values, f"{table.place} query") as answer:
                check_fields(table, answer.fields)
                self._columns[kind] = answer.fields
                next(answer.rows, None)
            if table.probe:
                self._probe(table, _NEVER)
            for name in ("mark_exported", "mark_paid"):
                statement = getattr(table, name)
                if statement:
                    self._database.write(statement, [{"key": _NOBODY}], f"{table.place} {name}", keep=False)

    def read(self, kind: Kind, since: datetime | None, window: Window) -> Iterator[SourceRecord]:
        """Stream records changed at or after ``since`` whose date lies in the window."""
        for record in self._read(kind, since, window, None):
            if record.date is None or window.first <= record.date <= window.last:
                yield record

    def _read(
        self, kind: Kind, since: datetime | None, window: Window, wanted: set[str] | None
    ) -> Iterator[SourceRecord]:
        table = self._table(kind)
        values = query_values(table, since, window, self._database.dialect)
        with self._database.query(table.query, values, f"{table.place} query") as answer:
            yield from RecordBuilder(table, answer.fields, self._zone).records(answer.rows, wanted)

    def read_keys(self, kind: Kind, keys: Sequence[tuple[str, date]]) -> Iterator[SourceRecord]:
        """Read the records again: once within the dates last known, and once without for those not found there."""
        wanted = {key for key, _ in keys}
        if not wanted:
            return
        days = [day for _, day in keys]
        window = Window(min(days), max(days))
        for where in (window, _OPEN):
            for record in self._read(kind, None, where, wanted):
                if record.key in wanted:
                    wanted.discard(record.key)
                    yield record
            if not wanted or not self._table(kind).can_window:
                return

    def heads(self, kind: Kind, window: Window) -> Iterator[Head]:
        """Stream heads, asking the database for no other columns where it lets a query stand within another."""
        table = self._table(kind)
        fields = self._fields(table)
        if not has_heads(table, fields):
            for record in self.read(kind, None, window):
                if not isinstance(record, Unreadable):
                    yield head_of(record)
            return
        statement = table.query
        if self._database.dialect.may_wrap:
            statement = head_query(table, fields, self._database.quote)
        values = query_values(table, None, window, self._database.dialect)
        with self._database.query(statement, values, f"{table.place} query") as answer:
            builder = HeadBuilder(table, answer.fields, self._zone)
            yield from builder.heads(answer.rows, window.first, window.last)

    def _fields(self, table: KindProfile) -> tuple[str, ...]:
        if table.kind not in self._columns:
            values = query_values(table, _FUTURE, _NEVER, self._database.dialect)
            with self._database.query(table.query, values, f"{table.place} query") as answer:
                check_fields(table, answer.fields)
                self._columns[table.kind] = answer.fields
        return self._columns[table.kind]

    def probe(self, kind: Kind, window: Window) -> Probe | None:
        """Run the profile's probe, if it has one; within the window if it uses one of its ends."""
        table = self._table(kind)
        return self._probe(table, window) if table.probe else None

    def _probe(self, table: KindProfile, window: Window) -> Probe:
        values = probe_values(table, window, self._database.dialect)
        place = f"{table.place} probe"
        with self._database.query(table.probe, values, place) as answer:
            row = next(answer.rows, None)
        if row is None or len(row) not in (1, 3) or isinstance(row[0], bool) or not str(row[0]).isdigit():
            raise SettingsFault(
                f"A probe did not give a count ({place}).",
                why="It must give one row: a count, and the first and the last key.",
                fix="Write it as select count(*), min(InvoiceNo), max(InvoiceNo) from Invoice.",
                code="SETTINGS_WRONG",
            )
        first, last = (as_text(row[1]), as_text(row[2])) if len(row) == 3 else ("", "")
        return Probe(int(row[0]), first, last, windowed=bool(parameters(table.probe)))

    def mark(self, kind: Kind, keys: Sequence[str], paid: bool) -> None:
        """Mark records in one transaction: where the database says no (``Refused``), none is marked."""
        if not keys:
            return
        table = self._table(kind)
        name = "mark_paid" if paid else "mark_exported"
        statement = getattr(table, name)
        if not statement:
            raise SettingsFault(
                f"The profile cannot mark a {kind.replace('_', ' ')} as {'paid' if paid else 'exported'}.",
                why=f"{table.place} has no `{name}`.",
                fix=f"Add `{name}` to that table of the profile, or switch this option of the route off.",
                code="SETTINGS_WRONG",
            )
        self._database.write(statement, [{"key": key} for key in keys], f"{table.place} {name}")

    def taken(self, kind: Kind, keys: Sequence[str]) -> None:
        """Nothing to do: a database keeps its records."""

    def read_parties(self, kind: PartyKind, since: datetime | None) -> Iterator[Party]:
        """Stream parties; none where the profile has no table for them."""
        table = self._tables.get(kind)
        if table is None:
            return
        values = query_values(table, since, _OPEN, self._database.dialect)
        with self._database.query(table.query, values, f"{table.place} query") as answer:
            yield from PartyBuilder(table, answer.fields, self._zone).parties(answer.rows)

    def write_parties(self, kind: PartyKind, parties: Iterable[Party]) -> None:
        """Not declared: raises ``NeedsUser``."""
        raise NeedsUser(
            f"A database source cannot take a {kind} in.",
            why="Profiles say how parties are read, not how they are written.",
            fix="Set contacts and staff of this route to import or off.",
            code="SETTINGS_WRONG",
        )

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _table(self, kind: Kind) -> KindProfile:
        table = self._tables.get(kind)
        if table is None:
            raise SettingsFault(
                f"The profile of this route has no table [{kind}].",
                fix="Add the table to the profile, or leave this kind out of the route's items.",
                code="SETTINGS_WRONG",
            )
        return table
