"""A route as the engine runs it: its two systems, its options and where it remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo

from connector_service.contract.journal import Context, Journal
from connector_service.contract.source import Source
from connector_service.contract.target import Target
from connector_service.domain import identity
from connector_service.domain.kinds import Kind
from connector_service.domain.status_codes import StatusCode


def utc_now() -> datetime:
    """The present moment; tests give another clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOptions:
    """What the settings say of a route, in the engine's words; the names are those of the settings file."""

    begin: date | None = None
    items: tuple[Kind, ...] = tuple(Kind)
    made_from: dict[Kind, str] = field(default_factory=dict)
    """Kinds that are made from an alternative record."""
    require_sent: bool = False
    approved_only: bool = True
    after_edit: str = "ask"
    mark_sales_paid: str = "never"
    mark_bills_paid: str = "never"
    auto_link: str = "exact"
    closed_period: str = "hold"
    stop_after_error: bool = False
    batch_size: int = 0
    burst_minutes: int = 0
    max_new_per_run: int = 5000
    checks_off: frozenset[StatusCode] = frozenset()


@dataclass(slots=True, kw_only=True)
class Route:
    """Everything that a run needs."""

    name: str
    source: Source
    target: Target
    journal: Journal
    options: RouteOptions
    clock: Callable[[], datetime] = utc_now
    timezone: tzinfo = UTC
    """The zone of the source's moments where they carry none."""
    flush: Callable[[], None] = lambda: None
    """Brings what was committed into the audit trail's files; called after each chunk."""

    def context(self, pair: int, run: int | None, actor: str = "service") -> Context:
        """In whose name changes of this route are made."""
        return Context(self.name, pair, run, actor)

    def kinds(self) -> list[Kind]:
        """The kinds that the settings ask for and both systems have, in a fixed order."""
        able = self.source.kinds() & self.target.manifest.kinds
        return [kind for kind in Kind if kind in self.options.items and kind in able]

    def made_from(self, kind: Kind) -> str:
        """The alternative that a kind is made from; empty for its own records."""
        return self.options.made_from.get(kind, "")


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The moment with a zone: its own, or the source's where it carries none."""
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def external_reference(pair_digest: str, kind: Kind, made_from: str, key: str) -> str:
    """Our own reference of a unit: the same for ever, so that it can be found in the books without our store."""
    return identity.external_reference(pair_digest, identity.UnitKey(kind, key, made_from))
