"""Hybrid invoices: the XML inside a Factur-X, ZUGFeRD or XRechnung PDF."""

import io
import logging
import struct
import zlib
from typing import Final

import pypdf
from pypdf.errors import PyPdfError

from connector_service.sources.folder.wire import Unfit

MAX_XML_BYTES: Final = 30 * 1024 * 1024
"""Largest invoice inside a PDF, unpacked."""

_NAMES: Final = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
# What a damaged or hostile PDF makes the library raise, beside its own errors: it follows the file's own structure.
_FAULTS: Final = (
    PyPdfError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    NotImplementedError,
    AssertionError,
    EOFError,
    OSError,
    struct.error,
    zlib.error,
    MemoryError,
)
_ASK: Final = "Ask the sender for the e-invoice (XML, or a Factur-X or ZUGFeRD PDF), or book this one by hand."

_BOUNDS: Final = pypdf.Configuration(
    zlib_maximum_output_length=MAX_XML_BYTES,
    lzw_maximum_output_length=MAX_XML_BYTES,
    run_length_maximum_output_length=MAX_XML_BYTES,
    brotli_maximum_output_length=MAX_XML_BYTES,
    array_based_stream_maximum_output_length=MAX_XML_BYTES,
    stream_decoding_work_maximum_length=MAX_XML_BYTES,
)
# It warns in its log of every oddity of every PDF; what matters here is raised.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def invoice_inside(data: bytes) -> bytes:
    """The XML of the invoice inside a PDF; raises ``Unfit`` where there is none or the PDF cannot be read."""
    try:
        with pypdf.apply_configuration(_BOUNDS):
            reader = pypdf.PdfReader(io.BytesIO(data))
            if reader.is_encrypted:
                raise Unfit("The PDF is protected with a password, so its invoice data cannot be read.", _ASK)
            found = _best({each.name: each for each in reader.attachment_list})
            content = b"" if found is None else bytes(found.content)
    except _FAULTS as error:
        raise Unfit("The PDF is damaged or too large when unpacked, and could not be read.", _ASK) from error
    if found is None:
        raise Unfit(
            "The PDF holds no invoice data: it is a picture of an invoice for people, without the XML inside.", _ASK
        )
    if len(content) > MAX_XML_BYTES:
        raise Unfit(f"The invoice inside the PDF is larger than {MAX_XML_BYTES >> 20} MB.", _ASK)
    return content


def _best(files: dict[str, "pypdf.generic.EmbeddedFile"]) -> "pypdf.generic.EmbeddedFile | None":
    by_name = {name.lower(): file for name, file in files.items()}
    for name in _NAMES:
        if name in by_name:
            return by_name[name]
    others = [file for name, file in by_name.items() if name.endswith(".xml")]
    return others[0] if len(others) == 1 else None
