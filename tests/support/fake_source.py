"""A shop in memory that behaves as a source must, and stumbles when a test orders it to."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from connector_service.contract.manifest import SourceManifest
from connector_service.contract.source import Probe, Window
from connector_service.domain.documents import Document, Head, MoneyDocument, SourceRecord, TimeRecord, Unreadable
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.money import to_minor
from connector_service.domain.parties import Party
from connector_service.domain.problems import ConnectorError

Any_ = TypeVar("Any_", bound=SourceRecord)


def manifest(**changes: Any) -> SourceManifest:
    """What the shop declares, unless a test wants it otherwise: read whole, with a probe and both marks."""
    plain: dict[str, Any] = {
        "system": "shop",
        "title": "Shop",
        "summary": "A shop in memory.",
        "kinds": frozenset(Kind),
        "by_window": True,
        "probe": True,
        "mark_exported": True,
        "mark_paid": True,
    }
    return SourceManifest(**{**plain, **changes})


@dataclass
class FakeShop:
    """Records by kind and key. What is added or edited gets the shop's clock as its ``changed_at``."""

    manifest: SourceManifest = field(default_factory=manifest)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    name: str = "shop"
    records: dict[Kind, dict[str, SourceRecord]] = field(default_factory=lambda: defaultdict(dict))
    marked: Counter[tuple[Kind, str, bool]] = field(default_factory=Counter)
    """How often each record was marked as exported (False) or paid (True)."""
    handed_over: list[tuple[Kind, tuple[str, ...]]] = field(default_factory=list)
    read_since: list[tuple[Kind, datetime | None]] = field(default_factory=list)
    read_again: list[str] = field(default_factory=list)
    faults: dict[str, list[ConnectorError]] = field(default_factory=lambda: defaultdict(list))
    break_after: int = 0
    """How many records are read before an ordered fault of ``read`` comes."""
    made_from: dict[Kind, str] = field(default_factory=dict)

    # -- what happens in the shop -------------------------------------------------------------------------------------

    def add(self, *records: Any_) -> None:
        """Add records, or put others in the place of those with the same key."""
        for record in records:
            kept: SourceRecord = record
            if not isinstance(record, Unreadable) and record.changed_at is None:
                kept = replace(record, changed_at=self.clock())
            self.records[record.kind][record.key] = kept

    def edit(self, kind: Kind, key: str, **changes: Any) -> None:
        """Change fields of a record."""
        record = self.records[kind][key]
        assert not isinstance(record, Unreadable)
        changed: Document = replace(record, **{"changed_at": self.clock(), **changes})
        self.records[kind][key] = changed

    def delete(self, kind: Kind, key: str) -> None:
        """Remove a record."""
        del self.records[kind][key]

    def fail(self, step: str, fault: ConnectorError, times: int = 1) -> None:
        """Let the next calls of a step fail: read, read_keys, heads, probe, mark, identity."""
        self.faults[step] += [fault] * times

    def document(self, kind: Kind, key: str) -> Document:
        """A record that can be read."""
        record = self.records[kind][key]
        assert not isinstance(record, Unreadable)
        return record

    def _stumble(self, step: str) -> None:
        if self.faults[step]:
            raise self.faults[step].pop(0)

    # -- the contract -------------------------------------------------------------------------------------------------

    def identity(self) -> str:
        """The shop's name."""
        self._stumble("identity")
        return self.name

    def check(self) -> None:
        """Nothing to reach."""

    def kinds(self) -> frozenset[Kind]:
        """As declared."""
        return self.manifest.kinds

    def can_mark(self, kind: Kind, paid: bool) -> bool:
        """As declared."""
        return kind in self.manifest.kinds and (self.manifest.mark_paid if paid else self.manifest.mark_exported)

    def read(self, kind: Kind, since: datetime | None, window: Window) -> Iterator[SourceRecord]:
        """Records by key."""
        self.read_since.append((kind, since))
        ordered = self.faults["read"].pop(0) if self.faults["read"] else None
        for place, record in enumerate(list(self._in(kind, window))):
            if ordered is not None and place >= self.break_after:
                raise ordered
            changed = None if isinstance(record, Unreadable) else record.changed_at
            if since is None or not self.manifest.incremental or changed is None or changed >= since:
                yield record
        if ordered is not None:
            raise ordered

    def _in(self, kind: Kind, window: Window) -> Iterator[SourceRecord]:
        for _, record in sorted(self.records[kind].items()):
            if record.date is None or window.holds(record.date):
                yield record

    def read_keys(self, kind: Kind, keys: Sequence[tuple[str, date]]) -> Iterator[SourceRecord]:
        """These records, as they are now."""
        self._stumble("read_keys")
        self.read_again += [key for key, _ in keys]
        return iter([self.records[kind][key] for key, _ in keys if key in self.records[kind]])

    def heads(self, kind: Kind, window: Window) -> Iterator[Head]:
        """Heads of what can be read."""
        self._stumble("heads")
        for record in list(self._in(kind, window)):
            if isinstance(record, MoneyDocument):
                minor = to_minor(record.total, record.currency)
                yield Head(record.key, record.number, record.date, record.party_key, record.currency, minor)
            elif isinstance(record, TimeRecord):
                yield Head(record.key, record.number, record.date, record.employee_key, "", record.minutes)

    def probe(self, kind: Kind, window: Window) -> Probe | None:
        """Count within the window."""
        self._stumble("probe")
        if not self.manifest.probe:
            return None
        keys = [record.key for record in self._in(kind, window)]
        return Probe(len(keys), min(keys, default=""), max(keys, default=""), windowed=True)

    def mark(self, kind: Kind, keys: Sequence[str], paid: bool) -> None:
        """Mark all or none."""
        assert self.can_mark(kind, paid), "the source was asked for a mark that it does not declare"
        self._stumble("mark")
        for key in keys:
            self.marked[kind, key, paid] += 1
            record = self.records[kind].get(key)
            if record is not None and not isinstance(record, Unreadable):
                if not paid:
                    self.records[kind][key] = replace(record, exported=True)
                elif isinstance(record, MoneyDocument):
                    self.records[kind][key] = replace(record, paid=True)

    def taken(self, kind: Kind, keys: Sequence[str]) -> None:
        """Put away where it consumes."""
        self.handed_over.append((kind, tuple(keys)))
        if self.manifest.consumes:
            for key in keys:
                self.records[kind].pop(key, None)

    def read_parties(self, kind: PartyKind, since: datetime | None) -> Iterator[Party]:
        """It has none of its own."""
        return iter(())

    def write_parties(self, kind: PartyKind, parties: Iterable[Party]) -> None:
        """Not declared."""
        raise AssertionError("the source was asked for what it does not declare")

    def close(self) -> None:
        """Nothing to let go of."""
