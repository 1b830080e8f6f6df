"""Customers, suppliers and employees built from flat rows."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Any

from connector_service.domain.kinds import PartyKind
from connector_service.domain.money import ZERO
from connector_service.domain.parties import Party
from connector_service.domain.problems import SettingsFault
from connector_service.sources.shared import values
from connector_service.sources.shared.columns import check_fields, column_of
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.values import BadValueError


class PartyBuilder:
    """Builds parties from rows whose columns are ``fields``."""

    def __init__(self, table: KindProfile, fields: Sequence[str], zone: tzinfo) -> None:
        """Look at the columns once; raises ``SettingsFault`` (see ``check_fields``)."""
        check_fields(table, fields)
        self._table = table
        self._kind = PartyKind(table.kind)
        self._fields = tuple(fields)
        self._convert = [column_of(table, name, zone, ZERO).one for name in fields]

    def parties(self, rows: Iterable[Sequence[Any]]) -> Iterator[Party]:
        """One party a key; a row that repeats the key of the row before is left out.

        Raises ``SettingsFault`` for a value of a wrong type, since it is the table that is wrong then; a row without a
        key is not a party.
        """
        last = ""
        for row in rows:
            cells: dict[str, Any] = {}
            for name, convert, value in zip(self._fields, self._convert, row, strict=True):
                try:
                    cells[name] = convert(value)
                except BadValueError as wrong:
                    if name == "key" and values.is_nothing(value):
                        break
                    raise self._fault(name, wrong, cells.get("key", "")) from wrong
            else:
                if cells["key"] != last:
                    last = cells["key"]
                    yield Party(kind=self._kind, **cells)

    def _fault(self, name: str, wrong: BadValueError, key: str) -> SettingsFault:
        return SettingsFault(
            f"The profile {self._table.place} cannot read a {self._kind}.",
            why=f"Key {key}: column `{name}` {wrong.what}.",
            fix=wrong.fix or "Mend the record in the source system, or the table of the profile that reads it.",
            code="SETTINGS_WRONG",
            key=key,
        )
