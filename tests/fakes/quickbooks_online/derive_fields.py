"""Derives fields.json, the table of field names and types, from the maker's published schema files.

Run it with the folder of the schema files: ``python -m tests.fakes.quickbooks_online.derive_fields FOLDER``. Element
names and types are the schema's own. Maximum lengths stand only in its prose, mixed for QuickBooks Online and Desktop,
so LENGTHS names them field by field; a test looks each one up in the prose.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from lxml import etree

FILES: Final = ("IntuitBaseTypes", "IntuitNamesTypes", "Finance", "SalesTax")
ENTITIES: Final = """
    Account Attachable Bill BillPayment Class CompanyCurrency CompanyInfo CreditMemo Customer Department Employee
    Estimate ExchangeRate Invoice Item Payment Preferences SalesReceipt TaxAgency TaxCode TaxRate TaxService Term
    TimeActivity Vendor VendorCredit
""".split()  # noqa: SIM905 - a list of names reads better as one text

# Safe minima by the type that declares the field. Source: the prose of the schema, except UNSTATED.
LENGTHS: Final[dict[str, dict[str, int]]] = {
    "Transaction": {"DocNumber": 21},
    "Line": {"Description": 4000},
    "SalesTransaction": {"CustomerMemo": 1000, "PONumber": 15},
    "NameBase": {"GivenName": 25, "MiddleName": 5, "FamilyName": 25, "DisplayName": 500},
    "Customer": {"Notes": 1024},
    "TelephoneNumber": {"FreeFormNumber": 21},
    "EmailAddress": {"Address": 100},
    "PhysicalAddress": {
        "Line1": 41,
        "Line2": 41,
        "Line3": 41,
        "Line4": 41,
        "Line5": 41,
        "City": 31,
        "CountrySubDivisionCode": 21,
        "PostalCode": 13,
    },
    "Account": {"Name": 100, "AcctNum": 7},
    "Class": {"Name": 100},
    "Department": {"Name": 100},
    "Item": {"Name": 100, "Sku": 100, "Description": 4000, "PurchaseDesc": 4000},
    "Term": {"Name": 31},
    "Attachable": {"FileName": 1000},
}
# From the maker's online reference, remembered: the schema's prose does not state them in so many words.
UNSTATED: Final = {("NameBase", "DisplayName"), ("Department", "Name"), ("Item", "PurchaseDesc")}

_X: Final = "{http://www.w3.org/2001/XMLSchema}"
_PLAIN: Final = {
    "string": "string",
    "anyURI": "string",
    "decimal": "decimal",
    "float": "decimal",
    "double": "decimal",
    "boolean": "boolean",
    "date": "date",
    "dateTime": "dateTime",
    "int": "int",
    "integer": "int",
    "long": "int",
    "positiveInteger": "int",
    "nonNegativeInteger": "int",
    "base64Binary": "string",
    "anyType": "any",
}


class Schema:
    """The named types of the schema files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.complex: dict[str, Any] = {}
        self.simple: dict[str, Any] = {}
        for name in FILES:
            root = etree.parse(folder / f"{name}.xsd").getroot()
            for node in root.findall(f"{_X}complexType"):
                self.complex[str(node.get("name"))] = node
            for node in root.findall(f"{_X}simpleType"):
                self.simple[str(node.get("name"))] = node

    def prose(self, type_name: str, field: str) -> str:
        """The documentation of a field, with single spaces."""
        node = next(e for e in self.complex[type_name].iter(f"{_X}element") if e.get("name") == field)
        return " ".join("".join(node.itertext()).split())

    def chain(self, name: str) -> list[str]:
        """A type and its bases, the base first."""
        bases = [str(ext.get("base")) for ext in self.complex[name].iter(f"{_X}extension")]
        return [*(self.chain(bases[0]) if bases and bases[0] in self.complex else []), name]

    def kind(self, type_name: str | None) -> str:
        """How a value of a type is checked: a plain kind, ``enum:NAME`` or ``type:NAME``."""
        name = (type_name or "xs:anyType").removeprefix("xs:")
        if name in _PLAIN and type_name is not None and type_name.startswith("xs:"):
            return _PLAIN[name]
        if name in self.simple:
            if self.values(name):
                return f"enum:{name}"
            return self.kind(str(self.simple[name].find(f".//{_X}restriction").get("base")))
        return f"type:{name}" if name in self.complex and name != "IntuitAnyType" else "any"

    def values(self, name: str) -> list[str]:
        """The values of an enumeration."""
        return [str(node.get("value")) for node in self.simple[name].iter(f"{_X}enumeration")]

    def fields(self, name: str) -> dict[str, str]:
        """Field to kind, as JSON has them: attributes are marked ``@``, text content is ``#`` under the name value."""
        found: dict[str, str] = {}
        for part in self.chain(name):
            node = self.complex[part]
            for extension in node.iter(f"{_X}extension"):
                if extension.get("base") not in self.complex:
                    found["value"] = "#" + self.kind(extension.get("base"))
            for element in node.iter(f"{_X}element"):
                many = element.get("maxOccurs") not in (None, "0", "1")
                found[str(element.get("name") or element.get("ref"))] = self.kind(element.get("type")) + "[]" * many
            for attribute in node.iter(f"{_X}attribute"):
                found[str(attribute.get("name"))] = "@" + self.kind(attribute.get("type"))
        return found


def derive(folder: Path) -> dict[str, Any]:
    """The whole table: types that the entities reach, their enumerations and the maximum lengths."""
    schema = Schema(folder)
    types: dict[str, dict[str, str]] = {}
    enums: dict[str, list[str]] = {}
    lengths: dict[str, dict[str, int]] = {}
    waiting = list(ENTITIES)
    while waiting:
        name = waiting.pop()
        if name in types:
            continue
        types[name] = schema.fields(name)
        limits = {field: limit for part in schema.chain(name) for field, limit in LENGTHS.get(part, {}).items()}
        if limits:
            lengths[name] = limits
        for kind in types[name].values():
            bare = kind.removesuffix("[]").lstrip("@#")
            if bare.startswith("type:"):
                waiting.append(bare[5:])
            elif bare.startswith("enum:"):
                enums[bare[5:]] = schema.values(bare[5:])
    return {"entities": ENTITIES, "types": types, "enums": enums, "lengths": lengths}


def main() -> None:
    """Write the table beside this module."""
    target = Path(__file__).with_name("fields.json")
    target.write_text(json.dumps(derive(Path(sys.argv[1])), indent=1, sort_keys=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
