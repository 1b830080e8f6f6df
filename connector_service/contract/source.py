"""What a source must be. Everything but reading is optional and declared in its manifest."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol, runtime_checkable

from connector_service.contract.manifest import SourceManifest
from connector_service.domain.documents import Head, SourceRecord
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.parties import Party

FIRST_DATE: Final = date(1, 1, 1)
"""A window open to the past."""
LAST_DATE: Final = date(9999, 12, 31)
"""A window open to the future."""


@dataclass(frozen=True, slots=True)
class Window:
    """Dates of documents, both ends included."""

    first: date = FIRST_DATE
    last: date = LAST_DATE

    @property
    def is_open(self) -> bool:
        """Whether the window leaves nothing out."""
        return self.first == FIRST_DATE and self.last == LAST_DATE

    def holds(self, day: date) -> bool:
        """Whether a date lies in the window."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Probe:
    """A cheap look at how much the source has of a kind, within the window that was asked for."""

    count: int
    first_key: str = ""
    last_key: str = ""
    windowed: bool = False
    """Whether the source really counted within the window; else it counted everything."""


class Source(Protocol):
    """A business system that is read. One object is used by one thread at a time."""

    manifest: SourceManifest

    def identity(self) -> str:
        """A text that stays the same while this is the same source: no secrets, no path above the data folder."""
        ...

    def check(self) -> None:
        """Reach the source and use every right that the route needs, writing nothing; else raise ``ConnectorError``."""
        ...

    def kinds(self) -> frozenset[Kind]:
        """The kinds that it can yield as it is set up."""
        ...

    def can_mark(self, kind: Kind, paid: bool) -> bool:
        """Whether this kind can be marked exported (or paid) as the source is set up."""
        ...

    def read(self, kind: Kind, since: datetime | None, window: Window) -> Iterator[SourceRecord]:
        """Stream records changed at or after ``since`` (None: all) whose date lies in the window.

        ``since`` is in the source's own clock, a value that an earlier record's ``changed_at`` had, so that no zone is
        applied to it. Rows that cannot be a document come as ``Unreadable``. Where the source is not incremental
        ``since`` is not used.
        """
        ...

    def read_keys(self, kind: Kind, keys: Sequence[tuple[str, date]]) -> Iterator[SourceRecord]:
        """Read again the records with these keys, but for gone ones; the dates, as last known, may help to find."""
        ...

    def heads(self, kind: Kind, window: Window) -> Iterator[Head]:
        """Stream the few facts of each record in the window by which it is marked; unreadable rows are left out."""
        ...

    def probe(self, kind: Kind, window: Window) -> Probe | None:
        """Count cheaply; ``None`` where this kind has no probe."""
        ...

    def mark(self, kind: Kind, keys: Sequence[str], paid: bool) -> None:
        """Mark records as exported (or paid) at the source, all or none; repeating it changes nothing."""
        ...

    def taken(self, kind: Kind, keys: Sequence[str]) -> None:
        """Told when records have been committed to the store, so that a source that consumes may put them away."""
        ...

    def read_parties(self, kind: PartyKind, since: datetime | None) -> Iterator[Party]:
        """Stream parties changed at or after ``since``."""
        ...

    def write_parties(self, kind: PartyKind, parties: Iterable[Party]) -> None:
        """Create or change parties at the source."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


class Watch(Protocol):
    """Something that is being watched."""

    def stop(self) -> None:
        """End it; nothing is told after this returns."""
        ...


@runtime_checkable
class Watching(Protocol):
    """A source that can tell by itself that something new has come; optional."""

    def watch(self, on_news: Callable[[], None]) -> Watch:
        """Call ``on_news``, from a thread of its own, whenever there is something to read; raises ``OSError``."""
        ...


@runtime_checkable
class Rewinding(Protocol):
    """A source that hands each record over once, and can hand over again what it has put away; optional."""

    def rewind(self) -> None:
        """Let the next reading begin with everything that was ever handed over and is still there."""
        ...
