"""What a system declares of itself: data only, read by the engine, the settings, the tests and the documentation."""

from dataclasses import dataclass, field
from enum import StrEnum

from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.reference import LinkKind, ReferenceKind
from connector_service.domain.status_codes import StatusCode


@dataclass(frozen=True, slots=True)
class SettingField:
    """A key of a route's ``source`` or ``target`` section that this system knows."""

    name: str
    help: str
    required: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class SecretField:
    """A secret that this system wants: its name for ``connector secret set ROUTE NAME``."""

    name: str
    help: str
    required: bool = False


class TaxRounding(StrEnum):
    """Where a system rounds tax to the currency's minor units."""

    LINE = "line"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceManifest:
    """What a source system is and can do."""

    system: str
    title: str
    summary: str
    """One sentence for lists of systems."""
    kinds: frozenset[Kind]
    """Kinds it can yield; a profile may narrow them (``Source.kinds``)."""
    party_kinds: frozenset[PartyKind] = frozenset()
    incremental: bool = False
    """Whether it can read what changed since a moment; else it is read whole within the date window."""
    by_window: bool = False
    """Whether it can be read again by a window of dates."""
    probe: bool = False
    mark_exported: bool = False
    mark_paid: bool = False
    write_parties: frozenset[PartyKind] = frozenset()
    consumes: bool = False
    """Whether a record is handed over once and taken away (a drop folder): what is not read again is not gone."""
    alternatives: frozenset[str] = frozenset()
    """Other records that a kind can be made from: ``packing_list``, ``receiver``."""
    tax_rounding: TaxRounding = TaxRounding.DOCUMENT
    settings: tuple[SettingField, ...] = ()
    secrets: tuple[SecretField, ...] = ()


class Idempotency(StrEnum):
    """How a target lets a lost answer be asked for again."""

    REPLAY = "replay"
    """The same bytes under the same key answer as the first time, while the target remembers the key."""
    EXTERNAL_REFERENCE = "external_reference"
    """A document can be searched by our own reference."""
    SEARCH = "search"
    """A document can be searched by number, party, date and amount."""
    PERSON = "person"
    """Nothing of that: a person decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a target allows. ``None`` is no limit known."""

    batch_size: int = 1
    """Documents in one push."""
    concurrent_calls: int = 1
    calls_per_second: int | None = None
    calls_per_minute: int | None = None
    calls_per_day: int | None = None
    batch_calls_per_minute: int | None = None
    field_lengths: dict[str, int] = field(default_factory=dict)
    """Characters that a field may have: ``number``, ``line.description``, ``note``, ``party.name`` …"""
    price_decimals: int | None = None
    """Decimal places that a unit price may have."""
    quantity_decimals: int | None = None
    memory_seconds: int = 0
    """How long the target remembers an idempotency key."""
    settle_after_seconds: int = 0
    """How long a request whose answer was lost may still be at work: "not found" counts only after that."""


class ListPolicy(StrEnum):
    """Whether a target's list takes any code."""

    OPEN = "open"
    """Any code or party is taken, and made by the target as it is needed."""
    CLOSED = "closed"
    """Only what the target's list holds."""
    ABSENT = "absent"
    """The target has no such list and drops the field; nothing is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetManifest:
    """What a target system is and can do."""

    system: str
    title: str
    summary: str
    kinds: frozenset[Kind]
    lists: dict[LinkKind, ListPolicy] = field(default_factory=dict)
    """The policy of each list; a list that is not named is ``absent``."""
    reference_kinds: frozenset[ReferenceKind] = frozenset()
    """Lists that can be pulled."""
    reference_since: frozenset[ReferenceKind] = frozenset()
    """Lists of which only what changed can be pulled."""
    write_parties: frozenset[PartyKind] = frozenset()
    write_reference: frozenset[ReferenceKind] = frozenset()
    idempotency: tuple[Idempotency, ...] = (Idempotency.PERSON,)
    """The ways of asking what became of a push, the surest first."""
    number_lookup: bool = False
    """Whether documents can be looked up by number, many in one call."""
    unique_numbers: frozenset[Kind] = frozenset()
    """Kinds whose number may stand in the books only once (for bills: once per supplier)."""
    void: bool = False
    delete: bool = False
    update: bool = False
    attach: bool = False
    payments: bool = False
    queued: bool = False
    """Whether it fetches its work itself, so that a push answers ``Queued``."""
    locked_until: bool = False
    """Whether the company tells a date up to which its books are closed."""
    ids_by_hand: bool = True
    """Whether a person can find and enter the target's ids."""
    multi_currency: bool = True
    needs_rate: bool = False
    """Whether a document in another currency than the company's must carry a rate."""
    number_required: bool = True
    line_text_required: bool = True
    tax_rounding: TaxRounding = TaxRounding.DOCUMENT
    safe_checks_off: frozenset[StatusCode] = frozenset({StatusCode.LINE_WITHOUT_TEXT})
    """Checks that a route may switch off without harm to the ordered goals."""
    limits: Limits = field(default_factory=Limits)
    settings: tuple[SettingField, ...] = ()
    secrets: tuple[SecretField, ...] = ()
    document_url: str = ""
    """Pattern of a link to a booked document, with ``{id}`` and ``{kind}``."""

    def policy(self, kind: LinkKind) -> ListPolicy:
        """The policy of one list."""
        return self.lists.get(kind, ListPolicy.ABSENT)
