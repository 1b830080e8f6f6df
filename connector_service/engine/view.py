"""What the planner sees of the world: plain data, gathered before it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from connector_service.contract.manifest import ListPolicy, TargetManifest, TaxRounding
from connector_service.contract.target import Booked, CompanyInfo
from connector_service.domain.kinds import Kind
from connector_service.domain.reference import Link, LinkKind, ReferenceRecord
from connector_service.domain.status_codes import StatusCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the settings of a route ask of the planner."""

    route: str
    begin: date | None = None
    begin_is_new: bool = False
    """Whether the begin date was set in this very run, so that what is dated before it was known by then."""
    ask_first: bool = False
    """Whether the store was lost or restored, so that a document that is not known may be in the books already."""
    require_sent: bool = False
    approved_only: bool = True
    auto_link: bool = True
    closed_period_next: bool = False
    """Book into the next open day instead of holding what is dated in a closed period."""
    checks_off: frozenset[StatusCode] = frozenset()
    source_tax_rounding: TaxRounding = TaxRounding.DOCUMENT


@dataclass(frozen=True, slots=True)
class TargetList:
    """One list of the target, indexed for look-ups."""

    by_id: Mapping[str, ReferenceRecord] = field(default_factory=dict)
    by_code: Mapping[str, ReferenceRecord] = field(default_factory=dict)
    """Active records only."""
    by_name: Mapping[str, tuple[ReferenceRecord, ...]] = field(default_factory=dict)
    """Active records by their name as ``matching.normal`` has it."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything outside the records themselves on which a plan depends."""

    policy: Policy
    manifest: TargetManifest
    company: CompanyInfo
    links: Mapping[tuple[LinkKind, str], Link] = field(default_factory=dict)
    lists: Mapping[LinkKind, TargetList] = field(default_factory=dict)
    numbers: Mapping[tuple[Kind, str], tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """By kind and number: key and party of every unit of the source that carries it."""
    taken: Mapping[tuple[Kind, str, str], tuple[Booked, ...]] = field(default_factory=dict)
    """By kind, number and party id (empty where numbers are unique over all parties): what the books hold."""

    def is_closed(self, kind: LinkKind) -> bool:
        """Whether only what the target's list holds may be used."""
        return self.manifest.policy(kind) is ListPolicy.CLOSED
