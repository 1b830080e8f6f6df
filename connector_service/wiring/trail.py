"""The audit trail as commands and pages read it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from connector_service.audit.chain import Line
from connector_service.audit.export import export_csv
from connector_service.audit.read import Filter, read
from connector_service.audit.verdict import Verdict

__all__ = ["Filter", "export", "line_json", "lines", "verdict_json"]


def lines(folder: Path, where: Filter, *, newest_first: bool, limit: int | None = None) -> Iterator[Line]:
    """The lines that fit, from either end."""
    return read(folder, where, newest_first=newest_first, limit=limit)


def export(folder: Path, where: Filter, stream: BinaryIO) -> int:
    """Write the lines that fit as CSV, the oldest first; returns how many."""
    return export_csv(read(folder, where), stream)


def line_json(line: Line) -> dict[str, Any]:
    """One line, with all its members."""
    shown: dict[str, Any] = msgspec.to_builtins(line)
    empty = dict.fromkeys(Line.__struct_fields__)
    return empty | shown


def verdict_json(found: Verdict) -> dict[str, Any]:
    """The outcome of a check of the trail."""
    return {
        "ok": found.ok,
        "finding": found.finding.value,
        "code": str(found.code) or None,
        "lines": found.lines,
        "what": found.title,
        "why": found.why,
        "fix": found.fix,
        "file": found.file or None,
        "line": found.line or None,
        "sequence": found.sequence or None,
    }
