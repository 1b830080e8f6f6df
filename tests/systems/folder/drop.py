"""What the tests of the drop folder share: a folder with its source, and invoices made to measure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connector_service.contract.registry import Given, open_source
from connector_service.contract.source import Window
from connector_service.domain.documents import SourceRecord, Unreadable
from connector_service.domain.kinds import Kind
from connector_service.sources.folder.adapter import FolderSource

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT.parent / "shared" / "samples"
US = "NL123456789B01"
THEM = "DE999999999"


class NoVault:
    """A vault without secrets."""

    def get(self, route: str, name: str) -> str | None:
        return None

    def set(self, route: str, name: str, value: str) -> None:
        raise AssertionError("a drop folder has no secrets")

    def remove(self, route: str, name: str) -> bool:
        return False

    def names(self, route: str) -> tuple[str, ...]:
        return ()


@dataclass
class Drop:
    """A drop folder in use."""

    home: Path
    section: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.section = {"folder": "inbox", "party_id": US, "settle_seconds": "0", **self.section}
        self.folder = self.home / self.section["folder"]
        self.folder.mkdir(parents=True, exist_ok=True)

    def open(self, **changes: str) -> FolderSource:
        given = Given("main", self.home, NoVault(), ZoneInfo("Europe/Amsterdam"), {}, (ROOT / "config" / "profiles",))
        source = open_source("folder", {**self.section, **changes}, given)
        assert isinstance(source, FolderSource)
        return source

    def put(self, name: str, content: bytes | str) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, source: FolderSource | None = None) -> list[Any]:
        """What the engine does in a run: read each kind, commit, tell the source."""
        source = source or self.open()
        found: list[SourceRecord] = []
        for kind in Kind:
            records = list(source.read(kind, None, Window()))
            source.taken(kind, [record.key for record in records])
            found += records
        source.close()
        return found

    def names(self, *parts: str) -> list[str]:
        """Names of all files below a part of the folder, without the folders that they lie in."""
        base = self.folder.joinpath(*parts)
        return sorted(path.name for path in base.rglob("*") if not path.is_dir()) if base.exists() else []

    def lying(self) -> list[str]:
        """Names of the files that lie openly in the folder."""
        return sorted(path.name for path in self.folder.iterdir() if not path.is_dir())


def one(records: Iterable[SourceRecord]) -> Any:
    """The only record."""
    found = list(records)
    assert len(found) == 1, found
    return found[0]


def refused(records: Iterable[SourceRecord]) -> Unreadable:
    """The only record, which must be one that could not be read."""
    record = one(records)
    assert isinstance(record, Unreadable), record
    assert record.reason
    assert record.fix
    return record


def ubl(
    number: str = "F-1",
    *,
    seller: str = THEM,
    buyer: str = US,
    form: str = "Invoice",
    code: str = "380",
    net: str = "100.00",
    tax: str = "21.00",
    total: str = "121.00",
    head: str = "",
    parties: str = "",
    before_totals: str = "",
    totals: str = "",
    line: str = "",
    currency: str = "EUR",
    date: str = "2026-11-02",
) -> str:
    """A small invoice in UBL; the longer arguments are XML that is put in at their place."""
    kind = "CreditNote" if "Credit" in form else "Invoice"
    quantity = "CreditedQuantity" if "Credit" in form else "InvoicedQuantity"
    type_code = f"<cbc:{kind}TypeCode>{code}</cbc:{kind}TypeCode>" if code else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{form} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{form}-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
<cbc:ID>{number}</cbc:ID><cbc:IssueDate>{date}</cbc:IssueDate>{type_code}
<cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>{head}
<cac:AccountingSupplierParty><cac:Party><cac:PartyTaxScheme><cbc:CompanyID>{seller}</cbc:CompanyID>
<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
<cac:PartyLegalEntity><cbc:RegistrationName>Lieferant GmbH</cbc:RegistrationName></cac:PartyLegalEntity>
</cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyTaxScheme><cbc:CompanyID>{buyer}</cbc:CompanyID>
<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
<cac:PartyLegalEntity><cbc:RegistrationName>Wij BV</cbc:RegistrationName></cac:PartyLegalEntity>
</cac:Party></cac:AccountingCustomerParty>{parties}{before_totals}
<cac:TaxTotal><cbc:TaxAmount currencyID="{currency}">{tax}</cbc:TaxAmount></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="{currency}">{net}</cbc:LineExtensionAmount>
<cbc:TaxInclusiveAmount currencyID="{currency}">{total}</cbc:TaxInclusiveAmount>
{totals or f'<cbc:PayableAmount currencyID="{currency}">{total}</cbc:PayableAmount>'}</cac:LegalMonetaryTotal>
<cac:{kind}Line><cbc:ID>1</cbc:ID><cbc:{quantity} unitCode="C62">1</cbc:{quantity}>
<cbc:LineExtensionAmount currencyID="{currency}">{net}</cbc:LineExtensionAmount>{line}
<cac:Item><cbc:Name>Steel plate</cbc:Name><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>21</cbc:Percent>
<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
<cac:Price><cbc:PriceAmount currencyID="{currency}">{net.lstrip("-")}</cbc:PriceAmount></cac:Price></cac:{kind}Line>
</{form}>
"""
