"""Links as a CSV file: one form for taking them out and putting them in."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from connector_service.domain.problems import SettingsFault
from connector_service.domain.reference import Link, LinkKind

COLUMNS: Final = ("kind", "source_key", "target_id", "source_name", "target_name")
"""The header; the names may be left out."""
_NEEDED: Final = COLUMNS[:3]
_MOST: Final = 50
"""Most faults of one file that are told."""


class LinksFault(SettingsFault):
    """What is wrong with a links file, line by line; nothing of it was taken."""

    def __init__(self, name: str, faults: list[str]) -> None:
        """Keep each fault."""
        more = f"\n- and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
        lines = "one line does" if len(faults) == 1 else f"{len(faults)} lines do"
        super().__init__(
            f"The links in {name} were not taken: {lines} not fit.",
            why="\n".join(f"- {fault}" for fault in faults[:_MOST]) + more,
            fix="Nothing was changed. Mend the file and import it again.",
            code="LINKS_WRONG",
        )


def write_links(links: Iterable[Link]) -> Iterator[str]:
    """The lines of a CSV file, sorted by kind and key."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    rows = sorted(
        (link.kind.value, link.source_key, link.target_id, link.source_name, link.target_name) for link in links
    )
    for row in (COLUMNS, *rows):
        writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def read_links(data: bytes, name: str) -> list[Link]:
    """The links in a CSV file, all of them or none; raises ``LinksFault`` with every line that does not fit."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        place = data[: fault.start].count(b"\n") + 1
        raise LinksFault(
            name, [f"line {place}: there is a character that is not UTF-8; save the file as UTF-8."]
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    faults: list[str] = []
    found: dict[tuple[LinkKind, str], tuple[int, Link]] = {}
    try:
        head = [cell.strip() for cell in next(reader, [])]
        _check_head(name, head)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            link = _link(cells, head, reader.line_num, faults)
            if link is None:
                continue
            earlier = found.setdefault((link.kind, link.source_key), (reader.line_num, link))
            if earlier[1] != link:
                faults.append(
                    f"line {reader.line_num}: {link.kind} {link.source_key} has another link in line {earlier[0]}."
                )
    except csv.Error as fault:
        faults.append(f"line {reader.line_num}: it is not CSV ({fault}).")
    if faults:
        raise LinksFault(name, faults)
    return [link for _, link in found.values()]


def _check_head(name: str, head: list[str]) -> None:
    missing = [column for column in _NEEDED if column not in head]
    unknown = [column for column in head if column not in COLUMNS]
    twice = sorted({column for column in head if head.count(column) > 1})
    faults = []
    if missing:
        faults.append(f"line 1: the header lacks {', '.join(missing)}; it is {','.join(COLUMNS)}.")
    if unknown:
        faults.append(f"line 1: the header has columns that are not known: {', '.join(unknown)}.")
    if twice:
        faults.append(f"line 1: the header names {', '.join(twice)} twice.")
    if faults:
        raise LinksFault(name, faults)


def _link(cells: list[str], head: list[str], line: int, faults: list[str]) -> Link | None:
    if len(cells) != len(head):
        faults.append(f"line {line}: it has {len(cells)} cells, and the header {len(head)}.")
        return None
    row = dict(zip(head, cells, strict=True))
    kind = row["kind"].strip()
    before = len(faults)
    if kind not in LinkKind.__members__.values():
        faults.append(f'line {line}: "{kind}" is no kind of link; known are {", ".join(LinkKind)}.')
    faults += [f"line {line}: {column} is empty." for column in _NEEDED[1:] if not row[column].strip()]
    if len(faults) > before:
        return None
    key, target = row["source_key"], row["target_id"].strip()
    return Link(LinkKind(kind), key, target, row.get("source_name", ""), row.get("target_name", ""), by_person=True)
