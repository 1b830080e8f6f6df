"""What may stand in ``connector.toml``: names, types, choices, defaults and a line of help for each.

The defaults are those of the product; the example file and the documentation are generated from here.
"""

from datetime import date
from typing import Annotated, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from connector_service.domain.kinds import Kind


def _known_zone(name: str) -> str:
    try:
        if name:
            ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found (a KeyError), path tricks, the name of a folder of zones
        raise PydanticCustomError("timezone", "not a time zone") from None
    return name


def _reserved(url: str) -> str:
    if url:
        raise PydanticCustomError("reserved", "reserved")
    return url


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("repeated", "repeated")
    return values


TimeZone: TypeAlias = Annotated[str, AfterValidator(_known_zone)]
"""A name of the IANA time zone database, or empty."""
Move: TypeAlias = Literal["off", "import", "export", "newest"]
"""Which way contacts or staff go: into the source, into the target, or the newer one wins."""
Paid: TypeAlias = Literal["never", "after_export", "when_paid"]
"""When documents are marked as paid at the source."""


class Section(BaseModel):
    """A table of the file: cannot be changed, knows its keys, and takes no value for another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Service(Section):
    """The service as a whole."""

    port: int = Field(
        default=8731, ge=1, le=65535, description="Port of the local page, which comes with a later version"
    )
    timezone: TimeZone = Field(
        default="", examples=["Europe/Amsterdam"], description="Time zone of the business; empty: that of this computer"
    )
    log_retention_days: int = Field(
        default=400, ge=1, le=36500, description="Days that the readable log is kept; the audit trail is always kept"
    )


class Store(Section):
    """Where the service keeps what it knows."""

    url: Annotated[str, AfterValidator(_reserved)] = Field(
        default="", description="Kept for a later version; empty: the embedded database in the data folder"
    )


class SystemSection(Section):
    """A source or a target. Keys of one system only are declared by that system and stand in ``model_extra``."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    system: str


class Source(SystemSection):
    """The business system that is read."""

    system: str = Field(
        examples=["sql"], description="Which system: sql, folder or another of those that `connector systems` lists"
    )
    url: str = Field(
        default="",
        examples=["sqlite:///shop.db"],
        description="SQL: address of the database, a relative path is relative to the data folder; user and password"
        " are written as {username} and {password}, as in mssql+pyodbc://{username}:{password}@host/db, and"
        " stored by `connector secret set ROUTE NAME`",
    )
    profile: str = Field(
        default="",
        examples=["shop.toml"],
        description="How records are read: a name from config/profiles, or a path relative to the data folder",
    )
    timezone: TimeZone = Field(default="", description="Time zone of the source; empty: that of the service")
    folder: str = Field(default="", description="Folder: the drop folder; done/ and rejected/ lie in it")
    api_url: str = Field(default="", description="REST: address without version path; empty: the system's own")
    auth_url: str = Field(default="", description="REST: sign-in page; empty: the system's own")
    token_url: str = Field(default="", description="REST: where access is renewed; empty: the system's own")
    party_id: str = Field(default="", description="Own VAT or endpoint id: tells sales from purchases in e-invoices")


class Target(SystemSection):
    """The accounting package that is written."""

    system: str = Field(
        examples=["journal"], description="Which package: journal or another of those that `connector systems` lists"
    )
    company: str = Field(
        default="", examples=["books"], description='The company in the package; journal: a folder, "books" where empty'
    )
    api_url: str = Field(default="", description="Address without version path; empty: the system's own")
    auth_url: str = Field(default="", description="Sign-in page; empty: the system's own")
    token_url: str = Field(default="", description="Where access is renewed; empty: the system's own")


class Sync(Section):
    """What is moved, and when."""

    mode: Literal["auto", "manual"] = Field(default="auto", description="Sync by itself, or only when asked to")
    interval_seconds: int = Field(default=300, ge=1, le=7 * 86400, description="Seconds between two automatic runs")
    begin: date | None = Field(
        default=None,
        examples=[date(2026, 1, 1)],
        description="Begin date: records dated before it are marked and never sent",
    )
    items: Annotated[
        tuple[Annotated[Kind, Field(strict=False)], ...], AfterValidator(_each_once), Field(strict=False)
    ] = Field(default=tuple(Kind), description="Kinds of documents that are moved")
    contacts: Move = Field(default="off", description="Customers and suppliers; this version moves none: off")
    staff: Move = Field(default="off", description="Employees; this version moves none: off")


class Options(Section):
    """How documents are made and treated."""

    sales_invoices_from: Literal["invoice", "packing_list"] = Field(
        default="invoice", description="What sales invoices are made from; a change needs a new begin date"
    )
    vendor_bills_from: Literal["vendor_invoice", "receiver"] = Field(
        default="vendor_invoice", description="What vendor bills are made from; a change needs a new begin date"
    )
    require_sent: bool = Field(default=False, description="Hold documents that the source has not marked as sent")
    approved_only: bool = Field(default=True, description="Hold time records that are not approved")
    after_edit: Literal["ask", "update", "reissue"] = Field(
        default="ask",
        description="When an exported document changes at the source; this version keeps it for a person: ask",
    )
    mark_sales_paid: Paid = Field(
        default="never", description="Mark sales invoices as paid at the source; when_paid, in the books, comes later"
    )
    mark_bills_paid: Paid = Field(
        default="never", description="Mark vendor bills as paid at the source; when_paid, in the books, comes later"
    )
    new_items_as: Literal["service", "inventory"] = Field(
        default="service",
        description="What an item becomes that the package does not have; this version makes none: service",
    )
    auto_link: Literal["none", "exact"] = Field(
        default="exact", description="Link parties by themselves where the name is exactly the same"
    )
    closed_period: Literal["hold", "next_open"] = Field(
        default="hold",
        description="When a document falls into a closed period: hold it, or date it into the next open one",
    )
    validate_all_tables: bool = Field(
        default=False,
        description="Check every list of the package before a run; this version checks those in use: false",
    )
    stop_after_error: bool = Field(default=False, description="Stop a run at the first problem instead of going on")
    batch_size: int = Field(default=0, ge=0, description="Documents in one call; 0: what the package takes best")
    burst_minutes: int = Field(default=0, ge=0, description="Longest time of one automatic run; 0: no limit")
    max_new_per_run: int = Field(
        default=5000, ge=1, description="More new documents than this stop the route until a person confirms"
    )
    checks_off: Annotated[tuple[str, ...], AfterValidator(_each_once), Field(strict=False)] = Field(
        default=(), description="Status codes of checks that are left out; only those that the package calls safe"
    )


class Route(Section):
    """One source paired with one company in one target."""

    enabled: bool = Field(default=True, description="Whether the route runs at all")
    source: Source
    target: Target
    sync: Sync = Sync()
    options: Options = Options()


class Settings(Section):
    """The whole file."""

    service: Service = Service()
    store: Store = Store()
    routes: dict[str, Route] = {}


HEADS: Final = {
    "service": "The service as a whole.",
    "store": "Where the service keeps what it knows.",
    "routes": "One table of tables for each route; NAME is letters, digits, _ and -.",
}
"""What each top-level table is for."""
