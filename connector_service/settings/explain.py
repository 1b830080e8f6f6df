"""From what the schema refuses to sentences for a person."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connector_service.nearest import did_you_mean, nearest
from connector_service.settings.faults import Fault
from connector_service.settings.reading import Place
from connector_service.settings.schema import Route, Settings, SystemSection

# Sections whose values may hold what nobody else should read; these keys of them may be shown.
_SHOWN: Final = frozenset({"system", "timezone", "profile"})


def faults_of(error: ValidationError) -> list[tuple[Place, Fault]]:
    """Each thing that the schema refuses, with the key that it is about."""
    found = []
    for detail in error.errors(include_url=False):
        place = tuple(str(part) for part in detail["loc"] if isinstance(part, str))
        entry = next((part for part in detail["loc"] if isinstance(part, int)), None)
        found.append((place, _explain(place, entry, detail)))
    return found


def show(value: object) -> str:
    """A value as it stands in the file, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def model_at(place: Place) -> type[BaseModel] | None:
    """The section of the schema that stands at a dotted key, or ``None`` where a value stands."""
    model: type[BaseModel] | None = Settings
    for at, key in enumerate(place):
        if model is None:
            return None
        if at == 0 and key == "routes":
            continue
        if at == 1 and place[0] == "routes":
            model = Route
            continue
        field = model.model_fields.get(key)
        kind = field.annotation if field else None
        model = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    return model


def keys_at(place: Place) -> list[str]:
    """The keys that a section knows."""
    model = model_at(place)
    return list(model.model_fields) if model else []


def unknown_key(place: Place, known: list[str]) -> Fault:
    """A key that nobody knows; its value is not shown, since it may be a secret under a misspelt name."""
    *section, key = place
    head = f"[{'.'.join(section)}]" if section else "the file"
    elsewhere = _elsewhere(key) if not nearest(key, known) else ""
    return Fault(
        ".".join(place),
        f'The key "{key}" is not known in {head}.',
        "Keys that are not known are refused, so that a slip of the pen does not go unseen.",
        elsewhere or did_you_mean(key, known),
    )


def _elsewhere(key: str) -> str:
    """Where a key belongs that stands in the wrong section."""
    for place, model in (
        ("service", model_at(("service",))),
        *((f"routes.NAME.{name}", model_at(("routes", "NAME", name))) for name in Route.model_fields),
    ):
        if model and key in model.model_fields and not issubclass(model, SystemSection):
            return f"It belongs in [{place}]."
    return ""


def _explain(place: Place, entry: int | None, detail: ErrorDetails) -> Fault:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_key(place, keys_at(place[:-1]))
    dotted = ".".join(place) + (f" (entry {entry + 1})" if entry is not None else "")
    hidden = len(place) > 2 and place[2] in ("source", "target") and place[-1] not in _SHOWN
    found = "Its value" if hidden else f"The value {show(value)}"
    rule = _RULES.get(kind, _other)
    if kind == "missing":
        found = f'The key "{place[-1]}" is missing'
    return Fault(dotted, *rule(found, value, context, place[-1]))


_Parts = tuple[str, str, str]
_Context = Mapping[str, Any]


def _choice(found: str, value: object, context: _Context, key: str) -> _Parts:
    choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
    fix = did_you_mean(value, choices) if isinstance(value, str) else f"Write one of: {_quoted(choices)}."
    return f"{found} is not one of the choices.", f"{key} is one of: {', '.join(choices)}.", fix


def _whole_number(found: str, value: object, _context: _Context, key: str) -> _Parts:
    digits = value.strip() if isinstance(value, str) else ""
    fix = f"Write {key} = {digits}" if digits.isascii() and digits.isdigit() else "Write digits only"
    return f"{found} is not a whole number.", f"{key} is a whole number, without quotes.", f"{fix}."


def _yes_or_no(found: str, value: object, _context: _Context, key: str) -> _Parts:
    return f"{found} is neither true nor false.", f"{key} is yes or no.", "Write true or false, without quotes."


def _text(found: str, value: object, _context: _Context, key: str) -> _Parts:
    return f"{found} is not a text.", f"{key} is a text.", f'Put it between double quotes: {key} = "…".'


def _date(found: str, value: object, _context: _Context, key: str) -> _Parts:
    written = value.date().isoformat() if isinstance(value, datetime) else str(value).strip()
    iso = written if re.fullmatch(r"\d{4}-\d\d-\d\d", written) else "2026-01-31"
    why = f"{key} is a date, year-month-day, without quotes and without a time."
    return f"{found} is not a date.", why, f"Write it like {key} = {iso}."


def _at_least(found: str, _value: object, context: _Context, key: str) -> _Parts:
    return f"{found} is too small.", f"{key} is at least {context['ge']}.", f"Write {context['ge']} or more."


def _at_most(found: str, _value: object, context: _Context, key: str) -> _Parts:
    return f"{found} is too large.", f"{key} is at most {context['le']}.", f"Write {context['le']} or less."


def _list(found: str, value: object, _context: _Context, key: str) -> _Parts:
    fix = f'Write {key} = ["{value}"].' if isinstance(value, str) else f'Write it like {key} = ["…", "…"].'
    return f"{found} is not a list.", f"{key} is a list, between square brackets.", fix


def _table(found: str, _value: object, _context: _Context, key: str) -> _Parts:
    return f"{found} is not a table.", f"{key} is a table with keys of its own.", f"Write a line that ends in {key}]."


def _missing(found: str, _value: object, _context: _Context, key: str) -> _Parts:
    if key in ("source", "target"):
        return (
            f"{found[:-10]}is missing.",
            f"A route needs a {key}.",
            f'Add a table that ends in .{key}] with system = "…".',
        )
    return f"{found}.", "There is no value that fits every business.", f'Add {key} = "…".'


def _zone(_found: str, value: object, _context: _Context, key: str) -> _Parts:
    from zoneinfo import available_timezones  # reads a folder of files; only where a name is wrong

    near = nearest(str(value), available_timezones())
    fix = f"Did you mean {near}?" if near else "Write it as Region/City, like Europe/Amsterdam."
    return f"There is no time zone {show(value)}.", "Zones have the names of the IANA time zone database.", fix


def _reserved(_found: str, _value: object, _context: _Context, key: str) -> _Parts:
    return (
        "Another database than the embedded one is asked for.",
        "This version keeps what it knows in the data folder; the key is kept for a later one.",
        f'Leave it out, or write {key} = "".',
    )


def _repeated(_found: str, value: object, _context: _Context, key: str) -> _Parts:
    return f"{key} names something twice.", "Each entry counts once.", "Leave each entry in the list once."


def _other(found: str, _value: object, _context: _Context, key: str) -> _Parts:
    return (
        f"{found} does not fit.",
        f"It is not what {key} can be.",
        "See connector.example.toml for how it is written.",
    )


def _quoted(words: list[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


_RULES: Final[dict[str, Callable[[str, object, _Context, str], _Parts]]] = {
    "literal_error": _choice,
    "enum": _choice,
    "int_type": _whole_number,
    "bool_type": _yes_or_no,
    "string_type": _text,
    "date_type": _date,
    "greater_than_equal": _at_least,
    "less_than_equal": _at_most,
    "tuple_type": _list,
    "model_type": _table,
    "dict_type": _table,
    "missing": _missing,
    "timezone": _zone,
    "reserved": _reserved,
    "repeated": _repeated,
}
