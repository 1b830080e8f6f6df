"""The example file and the table of settings, generated from the schema, so that they cannot fall behind it."""

import re
import textwrap
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connector_service.settings.schema import HEADS, Options, Route, Service, Source, Store, Sync, Target

EXAMPLE_FILE: Final = "connector.example.toml"
"""Name of the example, in the folder ``config``."""

_SECTIONS: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    ("service", Service),
    ("store", Store),
    ("routes.main", Route),
    ("routes.main.source", Source),
    ("routes.main.target", Target),
    ("routes.main.sync", Sync),
    ("routes.main.options", Options),
)
_HEAD: Final = """\
# Settings of Connector Service. Copy this file as connector.toml into the data folder and change what differs;
# what is left out has its default. Secrets are never in it: connector secret set ROUTE NAME
"""


@dataclass(frozen=True, slots=True)
class Help:
    """What there is to say about one setting."""

    key: str
    """Dotted key, with NAME for the route's name."""
    type: str
    """What may be written: text, whole number, true or false, date, list, or the choices."""
    default: str
    """As it stands in the file; empty where nothing counts until it is given."""
    help: str


def help_table() -> list[Help]:
    """Every setting, in the order of the example."""
    return [
        Help(
            f"{section.replace('.main', '.NAME')}.{name}",
            _type(field.annotation),
            "" if field.is_required() else _toml(field.default),
            field.description or "",
        )
        for section, model in _SECTIONS
        for name, field in _fields(model)
    ]


def example_text() -> str:
    """The example file: each setting with its help, and a value that can be used."""
    parts = [_HEAD]
    for section, model in _SECTIONS:
        parts.append(f"\n# {HEADS[section]}" if section in HEADS else "")
        if section == "routes.main":
            parts[-1] = f"\n# {HEADS['routes']}"
        parts.append(f"[{section}]")
        for name, field in _fields(model):
            parts.append(_remark(field))
            value = field.examples[0] if field.examples else field.default
            parts.append(f"{name} = {_toml(value)}")
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def write_example(folder: Path) -> Path:
    """Write the example into the folder ``config``; returns its path."""
    file = folder / EXAMPLE_FILE
    file.write_text(example_text(), encoding="utf-8", newline="\n")
    return file


def _fields(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    return [(name, field) for name, field in model.model_fields.items() if not _is_section(field.annotation)]


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _remark(field: FieldInfo) -> str:
    choices = _choices(field.annotation)
    text = (field.description or "") + (f". One of: {', '.join(choices)}" if choices else "")
    return "\n".join(textwrap.wrap(text, 110, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False))


def _type(kind: Any) -> str:
    choices = _choices(kind)
    if choices:
        return ("list of " if "tuple" in str(kind) else "") + ", ".join(choices)
    names = {"bool": "true or false", "int": "whole number", "date": "date", "tuple": "list of texts", "str": "text"}
    return next(plain for name, plain in names.items() if re.search(rf"\b{name}\b", str(kind)))


def _choices(kind: Any) -> list[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    found: list[str] = []
    for part in get_args(kind):
        found += [part] if isinstance(part, str) else _choices(part)
    return found


def _toml(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(entry) for entry in value)}]"
    if isinstance(value, str):
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


if __name__ == "__main__":
    write_example(Path(__file__).resolve().parents[2] / "config")
