"""From the bytes of an XML file to the facts of an e-invoice, whichever syntax it is in."""

from typing import Final

from lxml import etree

from connector_service.sources.folder import cii, ubl
from connector_service.sources.folder.safexml import parse, plain
from connector_service.sources.folder.wire import InvoiceFacts, Unfit

_KNOWN: Final = "Invoices and credit notes in UBL 2 and UN/CEFACT CII (Factur-X, ZUGFeRD, XRechnung) are read."


def read_facts(data: bytes) -> InvoiceFacts:
    """Read an e-invoice; raises ``Unfit`` for other files and for values that are none."""
    root = parse(data)
    name = etree.QName(root)
    space, form = name.namespace or "", name.localname
    if form in ubl.FORMS and space.startswith(ubl.NAMESPACE):
        facts = ubl.read(root, form)
    elif form in cii.FORMS and space.startswith(cii.NAMESPACES):
        facts = cii.read(root, form)
    else:
        raise Unfit(
            f"The file is XML, but not an invoice that is known here: its root element is “{plain(form, 40)}”"
            f"{f' of {plain(space, 80)}' if space else ''}.",
            f"{_KNOWN} Ask the sender for one of these.",
        )
    return facts
