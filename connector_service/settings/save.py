"""Changes the settings file: comments, order and everything else stay as the user wrote them.

What the schema refuses is not written. The caller holds the data folder's lock.
"""

import copy
import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

import tomlkit
from tomlkit.items import Table

from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.files import replace_file
from connector_service.settings.faults import CODE
from connector_service.settings.load import Loaded, judge
from connector_service.settings.reading import decode, read_bytes
from connector_service.settings.systems import Systems
from connector_service.settings.upgrade import RENAMED, upgrade

Value: TypeAlias = str | int | bool | date | list[str]
"""What a setting can be."""

_MARK: Final = b"\xef\xbb\xbf"


def set_value(
    file: Path, key: str, value: Value, systems: Systems | None = None, *, renamed: Mapping[str, str] = RENAMED
) -> Loaded:
    """Set one key, such as ``routes.main.sync.begin``; returns the settings as they are then.

    Raises ``SettingsFaults`` when the settings would not fit, ``NeedsUser`` when the file cannot be written.
    """
    *section, name = _parts(key)

    def change(tables: MutableMapping[str, Any]) -> None:
        _table(tables, section)[name] = value

    return _save(file, change, systems, renamed)


def remove_value(
    file: Path, key: str, systems: Systems | None = None, *, renamed: Mapping[str, str] = RENAMED
) -> Loaded:
    """Leave a key out, so that its default counts; nothing happens where it is not there. Raises as ``set_value``."""
    *section, name = _parts(key)

    def change(tables: MutableMapping[str, Any]) -> None:
        inner: Any = tables
        for part in section:
            inner = inner.get(part, {})
        if name in inner:
            del inner[name]

    return _save(file, change, systems, renamed)


def add_route(file: Path, name: str, content: Mapping[str, Any], systems: Systems | None = None) -> Loaded:
    """Add a route: ``content`` has ``source`` and ``target`` and may have the rest. Raises as ``set_value``."""

    def change(tables: MutableMapping[str, Any]) -> None:
        routes = _table(tables, ["routes"])
        if name in routes:
            raise SettingsFault(
                f'There is a route "{name}" already.',
                fix="Give the new one another name, or remove the old one.",
                code=CODE,
            )
        routes[name] = copy.deepcopy(dict(content))

    return _save(file, change, systems, RENAMED)


def remove_route(file: Path, name: str, systems: Systems | None = None) -> Loaded:
    """Take a route out of the file, with its remarks. Raises ``SettingsFault`` where there is none."""

    def change(tables: MutableMapping[str, Any]) -> None:
        routes = tables.get("routes", {})
        if name not in routes:
            known = ", ".join(routes) or "none"
            raise SettingsFault(f'There is no route "{name}".', why=f"Routes are: {known}.", code=CODE)
        del routes[name]

    return _save(file, change, systems, RENAMED)


def _save(
    file: Path,
    change: Callable[[MutableMapping[str, Any]], None],
    systems: Systems | None,
    renamed: Mapping[str, str],
) -> Loaded:
    data = read_bytes(file)
    text = decode(data, str(file))
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    text = text.replace("\r\n", "\n")
    judge(text, str(file), systems, renamed=renamed)  # a file with faults is for its user to mend

    document = tomlkit.parse(text)
    expected = tomllib.loads(text)
    for tables in (document, expected):
        upgrade(tables, renamed)
        change(tables)
    changed = tomlkit.dumps(document)
    loaded = judge(changed, str(file), systems, renamed=renamed)
    if tomllib.loads(changed) != expected:
        # The library keeps the layout; that it changed nothing else is checked and not believed.
        raise SettingsFault(
            f"The setting cannot be changed without changing others in {file}.",
            why="The file is laid out in a way that the program cannot edit safely.",
            fix="Change it in a text editor, or bring the tables of each route together.",
            code=CODE,
        )
    try:
        replace_file(file, (_MARK if data.startswith(_MARK) else b"") + changed.replace("\n", newline).encode("utf-8"))
    except OSError as fault:
        raise NeedsUser(
            f"The settings could not be written; they are as they were: {file}.",
            why=f"The system says: {fault.strerror or fault}.",
            fix="Make room on the disk, or give this account the right to write there.",
            code="SETTINGS_NOT_WRITABLE",
        ) from fault
    return loaded


def _parts(key: str) -> list[str]:
    parts = key.split(".")
    if not all(parts) or len(parts) < 2:
        raise SettingsFault(
            f'"{key}" is not the name of a setting.', fix="Write it like routes.main.sync.begin.", code=CODE
        )
    return parts


def _table(tables: MutableMapping[str, Any], section: list[str]) -> MutableMapping[str, Any]:
    inner: Any = tables
    for part in section:
        if part not in inner:
            inner[part] = _new_table(inner)
        inner = inner[part]
    if not isinstance(inner, MutableMapping):
        raise SettingsFault(f'"{".".join(section)}" holds a value, not a table.', code=CODE)
    return inner


def _new_table(parent: object) -> Table | dict[str, Any]:
    return {} if type(parent) is dict else tomlkit.table()
