"""Rows of the target's own lists, and the links between a source key and a target's id."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ReferenceKind(StrEnum):
    """The lists that an accounting package may have; parties are among them, since they are pulled and linked alike."""

    ACCOUNT = "account"
    TAX_CODE = "tax_code"
    COST_CODE = "cost_code"
    DAYBOOK = "daybook"
    PERIOD = "period"
    CONTROL_CODE = "control_code"
    PROJECT_CODE = "project_code"
    PAYMENT_TYPE = "payment_type"
    PARTNER_CODE = "partner_code"
    ITEM = "item"
    PAY_ITEM = "pay_item"
    CLASS = "class"
    DEPARTMENT = "department"
    TERM = "term"
    CURRENCY = "currency"
    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    EMPLOYEE = "employee"


class LinkKind(StrEnum):
    """What a link pairs: the values of ``kind`` in a links file."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    EMPLOYEE = "employee"
    ACCOUNT = "account"
    TAX_CODE = "tax_code"
    ITEM = "item"
    COST_CODE = "cost_code"
    PROJECT = "project"
    TERM = "term"
    CURRENCY = "currency"
    PAY_ITEM = "pay_item"
    CLASS = "class"
    DEPARTMENT = "department"
    PAYMENT_TYPE = "payment_type"
    DAYBOOK = "daybook"


LIST_OF: dict[LinkKind, ReferenceKind] = {
    kind: ReferenceKind(kind.value) if kind is not LinkKind.PROJECT else ReferenceKind.PROJECT_CODE for kind in LinkKind
}
"""The target's list in which a link's ``target_id`` stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRecord:
    """A row of one of the target's lists."""

    kind: ReferenceKind
    id: str
    """What the target's interface wants to be given."""
    code: str
    """What a person types; equal to a source code, it is mapped by itself."""
    name: str
    active: bool = True
    changed_at: datetime | None = None
    details: dict[str, str] = field(default_factory=dict)
    """Further facts by name, such as a tax code's ``rate`` or a party's ``email``."""


@dataclass(frozen=True, slots=True)
class Link:
    """The remembered pairing of a source key with the target's id."""

    kind: LinkKind
    source_key: str
    target_id: str
    source_name: str = ""
    target_name: str = ""
    by_person: bool = False
