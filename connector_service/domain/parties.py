"""Customers, suppliers and employees, as either side knows them."""

from dataclasses import dataclass
from datetime import datetime

from connector_service.domain.kinds import PartyKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A customer, supplier or employee of the source."""

    kind: PartyKind
    key: str
    name: str
    company: str = ""
    email: str = ""
    phone: str = ""
    tax_number: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    region: str = ""
    country: str = ""
    active: bool = True
    changed_at: datetime | None = None
