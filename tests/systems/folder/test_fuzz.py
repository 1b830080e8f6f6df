"""Whatever stands in a file, reading it ends in records and never in an exception."""

import random
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.domain.documents import SourceRecord, TimeRecord, Unreadable
from connector_service.domain.kinds import Kind
from connector_service.sources.folder.attachments import AttachmentStore
from connector_service.sources.folder.parties import Own
from connector_service.sources.folder.reader import FileReader
from connector_service.sources.shared.profile import load_profile
from tests.systems.folder.drop import US, ubl
from tests.systems.folder.test_samples import ALL
from tests.systems.folder.test_tables import BILLS, LINE, SALES, SHOP, book

SEEDS: list[tuple[str, bytes]] = [
    ("a.xml", ubl().encode()),
    ("sales.csv", SALES.encode()),
    ("bills.xlsx", book({"Bills": BILLS})),
    ("a.jsonl", (LINE % ("0.30", "")).encode()),
    *((path.name, path.read_bytes()) for path in ALL if path.stat().st_size < 120_000),
]
TAG = re.compile(rb"<[^<>]{1,200}>")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> FileReader:
    home: Path = tmp_path_factory.mktemp("fuzz")
    (home / "shop.toml").write_text(SHOP)
    tables = load_profile(home / "shop.toml", "folder").tables
    return FileReader(Own.from_setting(US), tables, ZoneInfo("Europe/Amsterdam"), AttachmentStore(home / "kept"))


def check(reader: FileReader, name: str, data: bytes) -> None:
    records: list[SourceRecord] = list(reader.records(data, name, Kind.VENDOR_BILL))
    for record in records:
        assert record.key
        if isinstance(record, Unreadable):
            assert record.reason
            assert record.fix
        elif not isinstance(record, TimeRecord):
            assert record.total >= 0


def damaged(data: bytes, choice: random.Random) -> bytes:
    """One to four mutations: bytes flipped, cut out, doubled or swapped; tags swapped; the end cut off."""
    for _ in range(choice.randint(1, 4)):
        if not data:
            break
        at = choice.randrange(len(data))
        length = choice.choice((1, 2, 8, 64, 500))
        way = choice.randrange(7)
        if way == 0:
            data = data[:at] + bytes([choice.randrange(256)]) + data[at + 1 :]
        elif way == 1:
            data = data[:at]
        elif way == 2:
            data = data[:at] + data[at + length :]
        elif way == 3:
            data = data[:at] + data[at : at + length] * choice.randint(2, 30) + data[at + length :]
        elif way == 4:
            data = data[:at] + choice.randbytes(length) + data[at:]
        else:
            tags = [found.span() for found in TAG.finditer(data)]
            if len(tags) > 2:
                (first, second), (third, fourth) = sorted(choice.sample(tags, 2))
                middle = data[second:third]
                data = data[:first] + data[third:fourth] + middle + data[first:second] + data[fourth:]
    return data


@given(seed=st.sampled_from(SEEDS), choice=st.randoms(use_true_random=False))
def test_damaged_files_give_records_and_never_an_exception(
    reader: FileReader, seed: tuple[str, bytes], choice: random.Random
) -> None:
    name, data = seed
    check(reader, name, damaged(data, choice))


VALUES = st.one_of(
    st.sampled_from(
        ["", " ", "-0", "1e5", "NaN", "999999999999999999999999.99", "0000", "á", "-", "2026-02-30", "0001-01-01"]
    ),
    st.text(max_size=30),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
)
PLACES = re.compile(r">[^<>\n]+<")


@given(values=st.lists(st.tuples(st.integers(0, 40), VALUES), min_size=1, max_size=4))
def test_any_values_in_a_well_formed_invoice(reader: FileReader, values: list[tuple[int, str]]) -> None:
    invoice = ubl()
    for place, value in values:
        found = list(PLACES.finditer(invoice))
        at = found[place % len(found)]
        escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        invoice = f"{invoice[: at.start() + 1]}{escaped}{invoice[at.end() - 1 :]}"
    check(reader, "a.xml", invoice.encode("utf-8", "surrogatepass"))


@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes(reader: FileReader, data: bytes) -> None:
    for start in (b"", b"<?xml", b"{", b"%PDF-1.7", b"PK\x03\x04", b"\xff\xfe", b"No;Date\n"):
        check(reader, "sales.csv", start + data)


@pytest.mark.long
@given(seed=st.sampled_from(SEEDS), choice=st.randoms(use_true_random=False))
def test_damaged_files_at_length(reader: FileReader, seed: tuple[str, bytes], choice: random.Random) -> None:
    for _ in range(5):
        check(reader, seed[0], damaged(seed[1], choice))
