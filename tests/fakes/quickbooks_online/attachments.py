"""Upload of files: pairs of metadata and content in a multipart body."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from tests.fakes.quickbooks_online import faults, operations
from tests.fakes.quickbooks_online.company import Company
from tests.fakes.quickbooks_online.fields import Json, accept
from tests.fakes.quickbooks_online.wire import from_json, from_xml

_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)"?')
_NAME: Final = re.compile(rb'name="([^"]*)"')
_FILE: Final = re.compile(rb'filename="([^"]*)"')


@dataclass(slots=True)
class Part:
    """One part of the body."""

    name: str
    file_name: str
    content_type: str
    content: bytes


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """The parts of a multipart body. Raises QboFault when it is none."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise faults.unsupported("upload without multipart boundary")
    mark = b"--" + match.group(1).encode()
    pieces = body.split(mark)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise faults.unsupported("upload with an incomplete multipart body")
    found = []
    for piece in pieces[1:-1]:
        head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not separator:
            raise faults.unsupported("upload with a part without headers")
        name, file_name = _NAME.search(head), _FILE.search(head)
        kind = re.search(rb"(?im)^content-type:\s*([^\r\n]+)", head)
        found.append(
            Part(
                name.group(1).decode() if name else "",
                file_name.group(1).decode() if file_name else "",
                kind.group(1).decode().strip() if kind else "",
                content.removesuffix(b"\r\n"),
            )
        )
    return found


def upload(company: Company, content_type: str, body: bytes) -> Json:
    """Store the files of a request; each has its own answer or fault."""
    company.must_be_writable()
    parts = {part.name: part for part in parts_of(content_type, body)}
    numbers = sorted(name.removeprefix("file_content_") for name in parts if name.startswith("file_content_"))
    if not numbers:
        raise faults.missing("file_content_01")
    return {"AttachableResponse": [_one(company, parts, number) for number in numbers]}


def _one(company: Company, parts: dict[str, Part], number: str) -> Json:
    content, about = parts[f"file_content_{number}"], parts.get(f"file_metadata_{number}")
    try:
        given: Json = {}
        if about is not None:
            as_xml = "xml" in about.content_type
            given = from_xml(about.content)[1] if as_xml else from_json(about.content)
        record = operations.link(company, accept("Attachable", given))
        record.setdefault("FileName", content.file_name)
        record.setdefault("ContentType", content.content_type)
        return {"Attachable": store(company, record, content.content)}
    except faults.QboFault as fault:
        return {"Fault": fault.body()}


def store(company: Company, record: Json, content: bytes) -> Json:
    """Keep a file with its record; the addresses to fetch it are those of this server."""
    key = company.next_id("Attachable")
    home = f"/v3/company/{company.realm}/download/{key}"
    record |= {
        "FileAccessUri": home,
        "TempDownloadUri": f"{company.base}/_files/{company.realm}/{key}",
        "Size": len(content),
    }
    company.files[key] = content
    return company.add("Attachable", record, key)


def checksum(company: Company, key: str) -> str:
    """SHA-256 of a stored file, in hexadecimal."""
    return hashlib.sha256(company.files[key]).hexdigest()
