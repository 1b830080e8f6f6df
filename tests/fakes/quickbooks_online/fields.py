"""Field names and types of every entity, from the table that is derived from the published schema.

``accept`` checks a request body against it and gives it back with numbers as Decimal and ids as text.
"""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from tests.fakes.quickbooks_online.faults import (
    Problem,
    QboFault,
    bad_choice,
    bad_number,
    bad_property,
    too_long,
    unknown_field,
)

Json = dict[str, Any]
_TABLE: Final[Json] = json.loads(Path(__file__).with_name("fields.json").read_text(encoding="utf-8"))
TYPES: Final[dict[str, dict[str, str]]] = _TABLE["types"]
ENUMS: Final[dict[str, frozenset[str]]] = {name: frozenset(values) for name, values in _TABLE["enums"].items()}
LENGTHS: Final[dict[str, dict[str, int]]] = _TABLE["lengths"]
ENTITIES: Final[dict[str, str]] = {name.lower(): name for name in _TABLE["entities"]}
"""Lower-case name, as it stands in an address, to entity name."""

_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?$")
Check = Callable[[str, Any, list[Problem]], Any]


def accept(entity: str, body: Any) -> Json:
    """The body of a request for an entity, checked and made uniform. Raises QboFault with all that is wrong."""
    errors: list[Problem] = []
    found = _object(entity)("", body, errors)
    if errors:
        raise QboFault(errors)
    assert isinstance(found, dict)
    return found


def kind_of(entity: str, dotted: str) -> str | None:
    """The kind of a field, by a path such as ``MetaData.LastUpdatedTime``; None when there is no such field."""
    holder, kind = entity, ""
    for part in dotted.split("."):
        if holder not in TYPES or part not in TYPES[holder]:
            return None
        kind = TYPES[holder][part].lstrip("@#")
        holder = kind.removesuffix("[]").removeprefix("type:")
    return kind


def _string(limit: int | None) -> Check:
    def check(name: str, value: Any, errors: list[Problem]) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            errors.append(bad_property(name, "is not a text:"))
            return None
        if limit is not None and len(value) > limit:
            errors.append(too_long(name, limit, len(value)))
        return value

    return check


def _decimal(name: str, value: Any, errors: list[Problem]) -> Any:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | str) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    errors.append(bad_number(name, value))
    return None


def _int(name: str, value: Any, errors: list[Problem]) -> Any:
    if isinstance(value, str) and value.lstrip("-").isdigit():
        value = int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        errors.append(bad_number(name, value))
        return None
    return value


def _boolean(name: str, value: Any, errors: list[Problem]) -> Any:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    errors.append(bad_property(name, "is not true or false:"))
    return None


def _date(name: str, value: Any, errors: list[Problem]) -> Any:
    match = _DATE.match(value) if isinstance(value, str) else None
    if match:
        try:
            return date.fromisoformat(match.group(1)).isoformat()
        except ValueError:
            match = None
    errors.append(bad_property(name, f"is not a date ({value}):"))
    return None


def _moment(name: str, value: Any, errors: list[Problem]) -> Any:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        errors.append(bad_property(name, f"is not a date and time ({value}):"))
    return value


def _any(name: str, value: Any, errors: list[Problem]) -> Any:
    return value


def _choice(values: frozenset[str]) -> Check:
    def check(name: str, value: Any, errors: list[Problem]) -> Any:
        if value not in values:
            errors.append(bad_choice(name, value))
        return value

    return check


def _many(inner: Check) -> Check:
    def check(name: str, value: Any, errors: list[Problem]) -> Any:
        if not isinstance(value, list):
            errors.append(bad_property(name, "is not a list:"))
            return None
        return [inner(name, part, errors) for part in value]

    return check


_PLAIN: Final[dict[str, Check]] = {
    "decimal": _decimal,
    "int": _int,
    "boolean": _boolean,
    "date": _date,
    "dateTime": _moment,
    "any": _any,
}
_checks: dict[str, Check] = {}
_bodies: dict[str, dict[str, Check]] = {}


def _object(type_name: str) -> Check:
    if type_name in _checks:
        return _checks[type_name]
    by_field = _bodies.setdefault(type_name, {})

    def check(name: str, value: Any, errors: list[Problem]) -> Any:
        if not by_field:
            by_field.update(_compile(type_name))
        if not isinstance(value, dict):
            errors.append(bad_property(name or type_name, "is not an object:"))
            return None
        found = {}
        for field, content in value.items():
            inner = by_field.get(field)
            if inner is None:
                errors.append(unknown_field(field, type_name, list(by_field)))
            elif content is not None:
                found[field] = inner(field, content, errors)
        return found

    _checks[type_name] = check
    return check


def _compile(type_name: str) -> dict[str, Check]:
    return {field: _check_for(kind, LENGTHS.get(type_name, {}).get(field)) for field, kind in TYPES[type_name].items()}


def _check_for(kind: str, limit: int | None) -> Check:
    bare = kind.lstrip("@#").removesuffix("[]")
    if bare == "string":
        found = _string(limit)
    elif bare.startswith("enum:"):
        found = _choice(ENUMS[bare[5:]])
    elif bare == "type:MemoRef" and limit is not None:
        found = _memo(limit)
    elif bare.startswith("type:"):
        found = _object(bare[5:])
    else:
        found = _PLAIN[bare]
    return _many(found) if kind.endswith("[]") else found


def _memo(limit: int) -> Check:
    inner = _object("MemoRef")

    def check(name: str, value: Any, errors: list[Problem]) -> Any:
        found = inner(name, value, errors)
        text = found.get("value") if isinstance(found, dict) else None
        if isinstance(text, str) and len(text) > limit:
            errors.append(too_long(name, limit, len(text)))
        return found

    return check
