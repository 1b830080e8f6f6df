"""What the embedded books are and can do."""

from typing import Final

from connector_service.contract.manifest import (
    Idempotency,
    Limits,
    ListPolicy,
    SettingField,
    TargetManifest,
    TaxRounding,
)
from connector_service.domain.kinds import Kind
from connector_service.domain.reference import LinkKind, ReferenceKind
from connector_service.domain.status_codes import StatusCode

_OPEN_LISTS: Final = (
    LinkKind.CUSTOMER,
    LinkKind.SUPPLIER,
    LinkKind.EMPLOYEE,
    LinkKind.ACCOUNT,
    LinkKind.TAX_CODE,
    LinkKind.ITEM,
    LinkKind.COST_CODE,
    LinkKind.PROJECT,
    LinkKind.TERM,
    LinkKind.CURRENCY,
    LinkKind.PAY_ITEM,
)

MANIFEST: Final = TargetManifest(
    system="journal",
    title="Embedded books",
    summary="Plain-text double-entry books in a folder, readable by Beancount, Fava and hledger.",
    kinds=frozenset(Kind),
    lists=dict.fromkeys(_OPEN_LISTS, ListPolicy.OPEN),
    reference_kinds=frozenset(
        {ReferenceKind.ACCOUNT, ReferenceKind.CUSTOMER, ReferenceKind.SUPPLIER, ReferenceKind.EMPLOYEE}
    ),
    idempotency=(Idempotency.EXTERNAL_REFERENCE, Idempotency.SEARCH),
    number_lookup=True,
    unique_numbers=frozenset(kind for kind in Kind if kind.is_money),
    void=True,
    attach=True,
    tax_rounding=TaxRounding.DOCUMENT,
    safe_checks_off=frozenset({StatusCode.LINE_WITHOUT_TEXT, StatusCode.NUMBER_MISSING}),
    limits=Limits(batch_size=100, concurrent_calls=1),
    settings=(
        SettingField("company", "Folder of the books, relative to the data folder.", default="books"),
        SettingField(
            "currency",
            "Home currency of new books, such as EUR; left empty, the one that the first documents use most.",
        ),
    ),
)
"""Read by the engine, the settings, the tests and the documentation."""
