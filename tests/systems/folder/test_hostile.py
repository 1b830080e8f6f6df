"""Files that could do harm, or are no documents: refused with a reason, nothing of them is opened, fetched or lost."""

import io
import os
import stat
import sys
import time
import zipfile
from pathlib import Path

import openpyxl
import pypdf
import pytest

from connector_service.domain.kinds import Kind
from connector_service.domain.problems import NeedsUser
from tests.systems.folder.drop import Drop, one, refused, ubl

PROFILE = """
date_format = "%Y-%m-%d"
[sales_invoice]
pattern = "*"
total_from_lines = true
currency = "EUR"
[sales_invoice.columns]
key = "No"
number = "No"
date = "Date"
party_key = "Customer"
"line.amount" = "Amount"
"""


def with_doctype(doctype: str, inside: str = "F-1") -> str:
    return ubl(inside).replace("?>\n", f"?>\n{doctype}\n", 1)


def bomb() -> str:
    rows = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return with_doctype(f'<!DOCTYPE Invoice [<!ENTITY l0 "lol">{rows}]>', "&l11;")


@pytest.mark.parametrize(
    "content",
    [
        bomb(),
        with_doctype('<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        with_doctype('<!DOCTYPE Invoice SYSTEM "http://127.0.0.1:1/evil.dtd">'),
        with_doctype('<!-- <a> --><?pi x?><!DOCTYPE Invoice [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]>'),
        with_doctype("<!DOCTYPE Invoice>").encode("utf-16").decode("utf-16"),
    ],
    ids=["billion laughs", "external entity", "external subset", "parameter entity behind a comment", "bare doctype"],
)
def test_doctype_is_refused(drop: Drop, content: str) -> None:
    begun = time.monotonic()
    drop.put("a.xml", content)
    record = refused(drop.run())
    assert "DOCTYPE" in record.reason
    assert "root:" not in record.reason
    assert time.monotonic() - begun < 5


def test_doctype_in_utf_16_is_refused(drop: Drop) -> None:
    text = with_doctype('<!DOCTYPE Invoice [<!ENTITY x "y">]>').replace("UTF-8", "UTF-16")
    drop.put("a.xml", text.encode("utf-16"))
    assert "DOCTYPE" in refused(drop.run()).reason


def test_the_word_doctype_in_a_note_is_harmless(drop: Drop) -> None:
    drop.put("a.xml", ubl(head="<cbc:Note><![CDATA[<!DOCTYPE html>]]></cbc:Note>"))
    assert one(drop.run()).note == "<!DOCTYPE html>"


def test_undefined_entity_is_refused(drop: Drop) -> None:
    drop.put("a.xml", ubl("&nbsp;"))
    assert "well-formed" in refused(drop.run()).reason


def test_very_deep_nesting_is_refused(drop: Drop) -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    drop.put("a.xml", ubl(head=deep))
    assert "well-formed" in refused(drop.run()).reason


def test_wrong_encoding_names_the_line(drop: Drop) -> None:
    drop.put("a.xml", ubl().replace("Steel plate", "Stahlträger").encode("iso-8859-1"))
    reason = refused(drop.run()).reason
    assert "UTF-8" in reason
    assert "line" in reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "iso-8859-1", "windows-1252"])
def test_other_encodings_are_read(drop: Drop, encoding: str) -> None:
    declared = {"utf-8-sig": "UTF-8", "utf-16-le": "UTF-16"}.get(encoding, encoding.upper())
    text = ubl().replace("UTF-8", declared).replace("Steel plate", "Stahlträger é")
    drop.put("a.xml", text.encode(encoding))
    assert one(drop.run()).lines[0].description == "Stahlträger é"


@pytest.mark.parametrize("encoding", ["UTF-7", "EBCDIC-CP-US", "rot13", "unicode_escape"])
def test_treacherous_encodings_are_refused(drop: Drop, encoding: str) -> None:
    drop.put("a.xml", ubl().replace("UTF-8", encoding))
    assert encoding.lower() in refused(drop.run()).reason


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty.xml", b"", "empty"),
        ("order.xml", b"<Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'/>", "Order"),
        ("page.html", b"<html><body>Invoice</body></html>", "html"),
        ("cut.xml", ubl().encode()[:-200], "well-formed"),
        ("two.xml", (ubl() + ubl()).encode(), "well-formed"),
        ("invoice.zip", b"PK\x03\x04" + b"\x00" * 40, "profile"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100, "old form"),
        ("scan.png", b"\x89PNG\r\n\x1a\n", "picture"),
        ("noise.bin", bytes(range(1, 256)) + b"\x00", "not known"),
        ("list.json", b"[{}]", "list"),
        ("plain.txt", b"hello", "profile"),
    ],
)
def test_other_files_are_refused_by_their_content(drop: Drop, name: str, content: bytes, why: str) -> None:
    drop.put(name, content)
    assert why in refused(drop.run()).reason
    assert drop.names("rejected") == sorted([name, f"{name}.reason.txt"])
    assert (drop.folder / "rejected" / name).read_bytes() == content


def test_the_name_says_nothing(drop: Drop) -> None:
    drop.put("holiday.jpg", ubl())
    assert one(drop.run()).number == "F-1"


def test_large_file_is_refused_unread(drop: Drop) -> None:
    path = drop.folder / "huge.xml"
    with path.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    record = refused(drop.run())
    assert "100.0 MB" in record.reason
    assert "max_file_megabytes" in record.fix
    assert drop.names("rejected") == ["huge.xml", "huge.xml.reason.txt"]


def test_limit_of_size_can_be_set(drop: Drop) -> None:
    drop.put("a.xml", ubl())
    assert "max_file_megabytes" in refused(drop.run(drop.open(max_file_megabytes="0.001"))).fix


def workbook(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_zip_bomb_is_refused(drop: Drop) -> None:
    (drop.home / "p.toml").write_text(PROFILE)
    drop.put("a.xlsx", workbook({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": b" " * 320_000_000}))
    assert "unpacked" in refused(drop.run(drop.open(profile="p"))).reason


def test_zip_bomb_that_lies_about_its_size_is_refused(drop: Drop) -> None:
    (drop.home / "p.toml").write_text(PROFILE)
    data = bytearray(workbook({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": b" " * 320_000_000}))
    while (at := data.find((320_000_000).to_bytes(4, "little"))) >= 0:
        data[at : at + 4] = (1000).to_bytes(4, "little")
    drop.put("a.xlsx", bytes(data))
    assert "unpacked" in refused(drop.run(drop.open(profile="p"))).reason


def test_sheet_that_claims_the_whole_grid_is_refused(drop: Drop) -> None:
    (drop.home / "p.toml").write_text(PROFILE)
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["A1"] = "No"
    book.active["XFD1048576"] = "x"
    stream = io.BytesIO()
    book.save(stream)
    drop.put("a.xlsx", stream.getvalue())
    assert "row 1048576" in refused(drop.run(drop.open(profile="p"))).reason


def pdf(name: str, content: bytes, password: str = "") -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    if name:
        writer.add_attachment(name, content)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pdf("", b""), "no invoice data"),
        (pdf("factur-x.xml", ubl().encode(), "secret"), "password"),
        (pdf("factur-x.xml", ubl().encode())[:400], "damaged"),
        (pdf("factur-x.xml", bomb().encode()), "DOCTYPE"),
        (b"%PDF-1.7\n" + b"\x00" * 500, "damaged"),
    ],
    ids=["no xml", "encrypted", "cut off", "bomb inside", "nothing after the head"],
)
def test_pdf_that_is_no_invoice_is_refused(drop: Drop, content: bytes, why: str) -> None:
    drop.put("a.pdf", content)
    assert why in refused(drop.run()).reason


@pytest.mark.parametrize(
    "name", ["factur-x.xml", "ZUGFeRD-invoice.xml", "zugferd-invoice.xml", "xrechnung.xml", "inv.xml"]
)
def test_xml_in_a_pdf_is_found_by_its_names(drop: Drop, name: str) -> None:
    drop.put("a.pdf", pdf(name, ubl().encode()))
    assert one(drop.run()).key == "DE999999999/F-1"


def test_pdf_stream_that_unpacks_to_too_much_is_refused(drop: Drop) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("factur-x.xml", b" " * 64_000_000)
    for each in writer._objects:  # the library writes attachments unpacked; pack this one as a hostile maker would
        if isinstance(each, pypdf.generic.StreamObject) and len(each._data) > 1_000_000:
            each._data = each.flate_encode()._data
            each[pypdf.generic.NameObject("/Filter")] = pypdf.generic.NameObject("/FlateDecode")
    stream = io.BytesIO()
    writer.write(stream)
    assert len(stream.getvalue()) < 1_000_000
    drop.put("a.pdf", stream.getvalue())
    assert "too large when unpacked" in refused(drop.run()).reason


needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are made differently on Windows")


@needs_links
def test_link_is_not_followed(drop: Drop, tmp_path: Path) -> None:
    outside = tmp_path / "outside.xml"
    outside.write_text(ubl())
    (drop.folder / "a.xml").symlink_to(outside)
    assert "link" in refused(drop.run()).reason
    assert outside.read_text() == ubl()
    assert (drop.folder / "rejected" / "a.xml").is_symlink()


@needs_links
def test_hard_link_is_not_read(drop: Drop, tmp_path: Path) -> None:
    outside = tmp_path / "outside.xml"
    outside.write_text(ubl())
    (drop.folder / "a.xml").hardlink_to(outside)
    assert "hard link" in refused(drop.run()).reason


@needs_links
def test_pipe_does_not_block(drop: Drop) -> None:
    os.mkfifo(drop.folder / "a.xml")
    assert "pipe" in refused(drop.run()).reason
    assert stat.S_ISFIFO((drop.folder / "rejected" / "a.xml").lstat().st_mode)


@needs_links
def test_own_folder_that_is_a_link_stops_the_route(drop: Drop, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (drop.folder / "rejected").symlink_to(elsewhere)
    with pytest.raises(NeedsUser, match="folder of its own"):
        drop.open().check()


def test_file_without_right_to_read_is_refused(humble: Drop) -> None:
    humble.put("a.xml", ubl()).chmod(0)
    assert "right" in refused(humble.run()).fix
    assert humble.names("rejected") == ["a.xml", "a.xml.reason.txt"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("x\\..\\evil.xml", "evil.xml"),
        ("a\nb\x1b[31m.xml", "a_b_[31m.xml"),
        ("NUL.xml", "_NUL.xml"),
        ("com1", "_com1"),
        ("in:voice?.xml", "in_voice_.xml"),
        ("gpj\u202elmx.xml", "gpj_lmx.xml"),
        ("é" * 120 + ".xml", "é" * 58 + ".xml"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not allow such names")
def test_names_are_made_fit_for_every_system(drop: Drop, name: str, kept: str) -> None:
    drop.put(name, ubl())
    assert one(drop.run()).number == "F-1"
    assert drop.names("done") == [kept]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows names that are no text")
def test_name_that_is_no_text(drop: Drop) -> None:
    with open(os.path.join(os.fsencode(drop.folder), b"a\xff.xml"), "wb") as stream:  # noqa: PTH118, PTH123
        stream.write(b"nothing")
    record = refused(drop.run())
    record.key.encode()
    assert len(drop.names("rejected")) == 2


def test_kind_of_a_file_that_tells_none_is_the_kind_that_is_read(drop: Drop) -> None:
    drop.put("a.png", b"\x89PNG\r\n\x1a\n")
    assert refused(drop.run()).kind is next(iter(Kind))
