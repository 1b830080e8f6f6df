"""From the bytes of a settings file to its tables, with a clear message where that cannot be done."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from connector_service.domain.problems import NeedsUser
from connector_service.settings.faults import Fault, SettingsFaults

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_NOTEPAD: Final = 'In Notepad: File, Save as, and choose "UTF-8" beside "Encoding".'
# How the standard library ends its messages.
_POSITION: Final = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")

Place: TypeAlias = tuple[str, ...]
"""A dotted key, in its parts."""


def read_bytes(file: Path) -> bytes:
    """The file's bytes; none where there is no file. Raises ``NeedsUser`` where it cannot be read."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as fault:
        raise NeedsUser(
            f"The settings cannot be read: {file}.",
            why=f"The system says: {fault.strerror or fault}.",
            fix="Give this account the right to read the file.",
            code="SETTINGS_UNREADABLE",
        ) from fault


def decode(data: bytes, name: str) -> str:
    """The text; a byte order mark in front is left out. Raises ``SettingsFaults`` where it is not UTF-8."""
    if data.startswith(_UTF16_MARKS) or b"\0" in data[:200]:
        raise _unreadable(name, 1, 1, "The file is saved as UTF-16.", "Settings are read as UTF-8.", _NOTEPAD)
    data = data.removeprefix(_UTF8_MARK)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        before = data[: fault.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
        what = f"There is a character that is not UTF-8 (byte {data[fault.start]:#04x})."
        raise _unreadable(name, line, column, what, "Settings are read as UTF-8.", _NOTEPAD) from None


def parse(text: str, name: str) -> dict[str, Any]:
    """The tables of a settings text; raises ``SettingsFaults`` with line and column where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        found = _POSITION.search(str(fault))
        reason = str(fault)[: found.start()].strip() if found else str(fault)
        if found and not found[1]:
            why, fix = "A bracket or quote that is opened here is not closed.", 'Close it with ], }, " or """.'
            start = _statements(text)[-1][0]
            raise _unreadable(name, start, None, "This does not end.", why, fix) from None
        lines = text.split("\n")
        line, column = (int(found[1]), int(found[2])) if found else (1, None)
        content = lines[line - 1] if line <= len(lines) else ""
        # The message may quote what stands in the file, and that may be a secret.
        raise _unreadable(name, line, column, "This is not TOML.", *_syntax_advice(reason, content)) from None


def lines_of(text: str) -> dict[Place, int]:
    """The line of each key and table of a text that is TOML, by dotted key."""
    found: dict[Place, int] = {}
    table: Place = ()
    for start, statement in _statements(text):
        content = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _only_path(content)
            found.setdefault(table, start)
        else:
            for place in _places(content):
                found.setdefault(table + place, start)
    return found


def _statements(text: str) -> list[tuple[int, str]]:
    """Each statement with the line on which it begins; the last one may be without its end."""
    found = []
    statement, start = "", 1
    # A statement ends at the first line end where what was gathered is TOML by itself.
    for number, line in enumerate(text.split("\n"), 1):
        statement += line + "\n"
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        found.append((start, statement))
        statement, start = "", number + 1
    return [*found, (start, statement)] if statement.strip() else found


def line_at(lines: Mapping[Place, int], place: Place) -> int | None:
    """The line of a key, or of the nearest table around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)


def _places(content: Mapping[str, Any]) -> Iterator[Place]:
    for key, value in content.items():
        yield (key,)
        if isinstance(value, dict):
            yield from ((key, *rest) for rest in _places(value))


def _only_path(content: Mapping[str, Any]) -> Place:
    path: list[str] = []
    inner: Any = content
    while isinstance(inner, dict) and inner:
        key, inner = next(iter(inner.items()))
        path.append(key)
        inner = inner[0] if isinstance(inner, list) else inner
    return tuple(path)


def _syntax_advice(reason: str, line: str) -> tuple[str, str]:
    """Why and fix, from the parser's reason and the line it stopped at."""
    lowered, value = reason.lower(), line.partition("=")[2].split("#")[0].strip()
    if "escape" in lowered or "hex" in lowered:
        return (
            "Inside double quotes a backslash has a meaning of its own.",
            "Write paths with / or between single quotes: folder = 'C:\\Invoices'.",
        )
    if "overwrite" in lowered or "declare" in lowered or "twice" in lowered:
        return "The same key or table stands in the file twice.", "Leave one of them."
    if value.lower() in ("true", "false"):
        return "Yes and no are written in small letters.", "Write true or false."
    if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}", value):
        return "A date is written as year-month-day.", "Write it like 2026-01-31, without quotes."
    if re.fullmatch(r"[A-Za-z][\w ./:-]*", value):
        return "A text stands between quotes.", 'Write it as key = "text".'
    if not line.strip().startswith("[") and "=" not in line and line.strip():
        return "A line is a key, = and a value.", 'Write it as key = "text", or put # in front of a remark.'
    return (
        "A line is [a.table], or key = value with texts between quotes.",
        "See the example that came with the product (connector.example.toml).",
    )


def _unreadable(name: str, line: int, column: int | None, what: str, why: str, fix: str) -> SettingsFaults:
    return SettingsFaults(name, [Fault("", what, why, fix, line, column)])
