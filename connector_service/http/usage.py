"""Calls counted over restarts: those of the last minute and of the last day, in a small file.

What stands in the file is never less than what was made: calls are written down in advance, a few at a time.
"""

import hashlib
import json
import logging
from math import ceil
from pathlib import Path
from typing import Final, Protocol

from connector_service.files import replace_file

DAY: Final = 86_400
# The day is kept by ten minutes: 144 numbers.
_SLOT: Final = 600
# A call counts at the other side within these seconds after its start; so a minute's calls are kept a little longer.
_LATE: Final = 5
_RECENT: Final = 70
_VERSION: Final = 1
# Calls written down in advance, as a part of the narrowest limit.
_AHEAD: Final = 20

_log = logging.getLogger(__name__)


class UsageStore(Protocol):
    """Where the counts are kept."""

    def load(self) -> bytes | None:
        """What was saved last; ``None`` where nothing was."""
        ...

    def save(self, content: bytes) -> None:
        """Keep this instead; raises ``OSError``."""
        ...


class UsageFile:
    """A file in the data folder."""

    def __init__(self, path: Path) -> None:
        """Nothing is made before something is saved."""
        self._path = path

    def load(self) -> bytes | None:
        """The content, or ``None`` where it cannot be read."""
        try:
            return self._path.read_bytes()
        except OSError:
            return None

    def save(self, content: bytes) -> None:
        """Replace the file in one step."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._path, content)


def usage_file(home: Path, system: str, company: str) -> UsageFile:
    """The counts of one company at one system, in the data folder; routes that share the company share them."""
    name = hashlib.sha256(company.encode()).hexdigest()[:16]
    return UsageFile(home / "limits" / f"{system}-{name}.json")


class Usage:
    """Counts calls by wall clock, and says how many the day has left."""

    def __init__(
        self, store: UsageStore | None, *, per_day: int | None, reserve: int, per_minute: int | None, now_seconds: float
    ) -> None:
        """``reserve`` calls of the day are only for a person; ``None`` is no limit."""
        self.per_day, self.reserve = per_day, min(reserve, (per_day or 1) - 1)
        self._store = store if per_day is not None or per_minute is not None else None
        self._block = max(1, min(per_minute or DAY, per_day or DAY) // _AHEAD)
        self._ahead = 0
        self._day: dict[int, int] = {}
        self._seconds: dict[int, list[int]] = {}
        self._others = 0
        """Calls of other programs, as the maker's headers tell; until ``_others_until``."""
        self._others_until = 0.0
        self._load(now_seconds)

    def recent(self, now_seconds: float) -> list[tuple[float, int, int]]:
        """Calls of the last minute before a restart: how many seconds ago at least, calls, batch calls among them."""
        return [
            (max(0.0, now_seconds - second - 1 - _LATE), calls, batch)
            for second, (calls, batch) in self._seconds.items()
        ]

    def count(self, now_seconds: float, batch: bool) -> None:
        """A call is about to be made; when this returns it is written down."""
        self._forget(now_seconds)
        if self.per_day is not None:
            slot = int(now_seconds // _SLOT)
            self._day[slot] = self._day.get(slot, 0) + 1
        of_second = self._seconds.setdefault(int(now_seconds), [0, 0])
        of_second[0] += 1
        of_second[1] += batch
        if self._store is not None:
            self._ahead -= 1
            if self._ahead < 0:
                self._ahead = self._block - 1
                self._save(now_seconds, self._ahead)

    def delay(self, now_seconds: float, by_person: bool) -> float:
        """Seconds until the day has a call left."""
        if self.per_day is None:
            return 0.0
        self._forget(now_seconds)
        allowed = self.per_day - (0 if by_person else self.reserve)
        too_many = sum(self._day.values()) + self._others - allowed + 1
        if too_many <= 0:
            return 0.0
        if self._others >= too_many:
            # Others' calls are known from the last answer only, so it is asked again in a while.
            return max(0.0, self._others_until - now_seconds)
        for slot in sorted(self._day):
            too_many -= self._day[slot]
            if too_many <= 0:
                return max(1.0, _end(slot) + DAY - now_seconds)
        return float(DAY)

    def learn(self, now_seconds: float, remaining: int) -> None:
        """The maker says how many calls are left in the day."""
        if self.per_day is not None:
            self._others = max(0, self.per_day - remaining - sum(self._day.values()))
            self._others_until = now_seconds + 3600

    def close(self, now_seconds: float) -> None:
        """Write down what was really made."""
        if self._store is not None and self._ahead > 0:
            self._ahead = 0
            self._forget(now_seconds)
            self._save(now_seconds, 0)

    def _forget(self, now_seconds: float) -> None:
        if self._others and now_seconds >= self._others_until:
            self._others = 0
        oldest = next(iter(self._day), None)
        if oldest is not None and _end(oldest) + DAY <= now_seconds:
            self._day = {slot: count for slot, count in self._day.items() if _end(slot) + DAY > now_seconds}
        first = next(iter(self._seconds), None)
        if first is not None and first + _RECENT <= now_seconds:
            self._seconds = {at: calls for at, calls in self._seconds.items() if at + _RECENT > now_seconds}

    def _save(self, now_seconds: float, ahead: int) -> None:
        day, seconds = dict(self._day), {at: list(calls) for at, calls in self._seconds.items()}
        slot, second = int(now_seconds // _SLOT), int(now_seconds)
        if ahead and self.per_day is not None:
            day[slot] = day.get(slot, 0) + ahead
        if ahead:
            calls, batch = seconds.get(second, (0, 0))
            seconds[second] = [calls + ahead, batch + ahead]
        content = {"version": _VERSION, "day": _keyed(day), "seconds": _keyed(seconds)}
        try:
            if self._store is not None:
                self._store.save(json.dumps(content).encode("ascii"))
        except OSError as fault:
            # The limits themselves hold on; only a restart would not know of these calls.
            _log.warning("The count of calls could not be saved: %s.", fault.strerror or type(fault).__name__)

    def _load(self, now_seconds: float) -> None:
        content = self._store.load() if self._store is not None else None
        if content is None:
            return
        try:
            saved = json.loads(content)
            if saved["version"] != _VERSION:
                return
            # A clock that was set back must not keep calls of a future that may never come: they count from now on.
            now = ceil(now_seconds)
            for key, count in saved["day"].items():
                slot = min(int(key), now // _SLOT)
                self._day[slot] = self._day.get(slot, 0) + int(count)
            for key, (calls, batch) in saved["seconds"].items():
                of_second = self._seconds.setdefault(min(int(key), now), [0, 0])
                of_second[0] += int(calls)
                of_second[1] += int(batch)
        except (ValueError, TypeError, KeyError, AttributeError):
            self._day, self._seconds = {}, {}
            _log.warning("The saved count of calls cannot be read; counting begins anew.")
        self._day = dict(sorted(self._day.items()))
        self._seconds = dict(sorted(self._seconds.items()))
        self._forget(now_seconds)


def _end(slot: int) -> int:
    return (slot + 1) * _SLOT


def _keyed(counts: dict[int, int] | dict[int, list[int]]) -> dict[str, object]:
    return {str(key): value for key, value in counts.items()}
