"""The columns of a table: which there must be, and what turns each into the domain's type."""

from collections.abc import Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.money import ZERO
from connector_service.domain.problems import SettingsFault
from connector_service.nearest import did_you_mean
from connector_service.sources.shared import values
from connector_service.sources.shared.fields import LINE_FIELDS, Type, fields_of
from connector_service.sources.shared.profile import KindProfile
from connector_service.sources.shared.values import Column

_DEFAULTS: Final[dict[str, Any]] = {
    "rate": None,
    "line.quantity": Decimal(1),
    "line.unit_price": None,
    "line.tax_amount": None,
    "sent": None,
    "paid": None,
    "approved": None,
    "active": True,
}
"""What stands for a missing value where it is not zero, no or an empty text."""


def needed_fields(table: KindProfile) -> list[tuple[str, ...]]:
    """Fields that a table must give; of several in one tuple, one is enough (``start`` stands for both times)."""
    if isinstance(table.kind, PartyKind):
        return [("key",), ("name",)]
    if table.kind is Kind.TIME_RECORD:
        return [("key",), ("date",), ("employee_key",), ("minutes", "start"), ("minutes", "end")]
    total = [] if table.total_from_lines else [("total",)]
    currency = [] if table.currency else [("currency",)]
    amount = [("line.amount", "line.quantity"), ("line.amount", "line.unit_price")]
    return [("key",), ("date",), ("party_key",), *currency, *total, *amount]


def check_fields(table: KindProfile, fields: Sequence[str]) -> None:
    """Refuse columns that are no field of the kind, that come twice, or that are missing (``SettingsFault``)."""
    known = list(fields_of(table.kind))
    faults = [
        f"The column `{name}` is not a field. {did_you_mean(name, known)}" for name in fields if name not in known
    ]
    faults += [f"The column `{name}` comes twice." for name in dict.fromkeys(fields) if fields.count(name) > 1]
    for choice in needed_fields(table):
        if not any(name in fields for name in choice):
            faults.append(f"There is no column {' or '.join(f'`{name}`' for name in dict.fromkeys(choice))}.")
    if faults:
        raise SettingsFault(
            f"The profile {table.place} cannot be used.",
            why=" ".join(dict.fromkeys(faults)),
            fix="Name the columns in the profile as the fields are named, such as: h.InvoiceNo as key.",
            code="SETTINGS_WRONG",
        )


_MUST: Final = ("key", "date", "party_key", "employee_key", "currency", "total", "line.amount")


def column_of(table: KindProfile, field: str, zone: tzinfo, step: Decimal) -> Column:
    """What converts one field; ``step`` is the smallest amount of the document's currency."""
    must = field in _MUST and not (field == "currency" and table.currency)
    default = None if must else _DEFAULTS.get(field, ZERO)
    match fields_of(table.kind)[field]:
        case Type.MONEY:
            made = values.number_of(table.decimal, step, default)
        case Type.NUMBER:
            made = values.number_of(table.decimal, None, default)
        case Type.DATE:
            made = values.day_of(table.date_format, zone)
        case Type.FLAG:
            made = values.flag_of(_DEFAULTS.get(field, False))
        case Type.MOMENT:
            made = values.moment_of(table.since_format)
        case Type.CLOCK:
            made = values.clock_of(zone)
        case Type.MINUTES:
            made = values.seconds_of(table.decimal)
        case _:
            made = values.currency_of(table.currency) if field == "currency" else values.text_column()
    return values.needed(made) if must else made


def line_default(name: str) -> Any:
    """What a line's field holds where the table has no column for it."""
    what = LINE_FIELDS[name.partition(".")[2]]
    return _DEFAULTS.get(name, "" if what is Type.TEXT else ZERO)
