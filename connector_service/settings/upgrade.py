"""Old spellings of keys: they are still read, with a notice, and written anew when the settings are next saved."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final

from connector_service.settings.faults import Fault
from connector_service.settings.reading import Place

RENAMED: Final[Mapping[str, str]] = {}
"""Old dotted key -> new one; ``*`` stands for any one name, the same on both sides."""


def upgrade(
    tables: MutableMapping[str, Any], renamed: Mapping[str, str] = RENAMED
) -> tuple[list[str], list[tuple[Place, Fault]]]:
    """Move values from old to new keys, in place; returns notices, and faults where both keys are there."""
    notices, faults = [], []
    for old, new in renamed.items():
        for place in list(_matches(tables, tuple(old.split(".")))):
            names = iter(key for key, pattern in zip(place, old.split("."), strict=True) if pattern == "*")
            goal = tuple(next(names) if key == "*" else key for key in new.split("."))
            was, now = ".".join(place), ".".join(goal)
            holder = _table(tables, goal[:-1])
            if goal[-1] in holder:
                what, why = f'"{was}" and "{now}" are both there.', "They are the old and the new name of one setting."
                faults.append((place, Fault(was, what, why, f'Remove "{was}".')))
                _table(tables, place[:-1]).pop(place[-1])
                continue
            holder[goal[-1]] = _table(tables, place[:-1]).pop(place[-1])
            notices.append(f'"{was}" is now called "{now}"; it was read all the same.')
    return notices, faults


def _matches(tables: Mapping[str, Any], pattern: Place, done: Place = ()) -> Iterator[Place]:
    head, *rest = pattern
    for key, value in tables.items():
        if head in ("*", key):
            if not rest:
                yield (*done, key)
            elif isinstance(value, Mapping):
                yield from _matches(value, tuple(rest), (*done, key))


def _table(tables: MutableMapping[str, Any], place: Place) -> MutableMapping[str, Any]:
    for key in place:
        tables = tables.setdefault(key, {})
    return tables
