"""The table for spreadsheet programs."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_service.audit.chain import Line
from connector_service.audit.export import COLUMNS, export_csv
from connector_service.audit.read import read
from tests.unit.audit.support import filled


def exported(*lines: Line) -> tuple[bytes, list[dict[str, str]]]:
    stream = io.BytesIO()
    assert export_csv(lines, stream) == len(lines)
    raw = stream.getvalue()
    return raw, list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_all_columns_with_a_header_and_a_byte_order_mark(tmp_path: Path) -> None:
    filled(tmp_path, [0, 0])
    raw, rows = exported(*read(tmp_path))
    assert raw.startswith(b'\xef\xbb\xbf"time","sequence","actor","route","run","event","pair","kind"')
    assert list(rows[0]) == list(COLUMNS)
    assert rows[1] | {"hash": "", "previous": "", "details": ""} == dict.fromkeys(COLUMNS, "") | {
        "time": "2026-01-30T12:00:00.000Z",
        "sequence": "2",
        "actor": "service",
        "route": "main",
        "run": "7",
        "event": "exported",
        "pair": "p1",
        "kind": "sales_invoice",
        "key": "key-2",
        "number": "INV-2",
        "before": "sending",
        "after": "exported",
        "amount": "2.10",
        "currency": "EUR",
        "remote_id": "r-2",
    }
    assert rows[1]["previous"] == rows[0]["hash"]
    assert rows[1]["details"].startswith('{"fingerprint":"')


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+31 6", "'+31 6"),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\t", "'\t"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"),
        ("-121.00", "-121.00"),
        ("-5", "-5"),
        ("-5.", "'-5."),
        ("INV-1", "INV-1"),
        ("a=1", "a=1"),
        ('say "=1", twice', 'say "=1", twice'),
        ("", ""),
    ],
)
def test_nothing_in_it_is_a_formula(text: str, cell: str) -> None:
    assert exported(Line(key=text))[1][0]["key"] == cell


@given(st.text(alphabet='=+-@;,"\t\r\n 1a', max_size=12), st.sampled_from([",", ";", "\t"]))
def test_no_cell_begins_a_formula_whatever_separates_cells(text: str, separator: str) -> None:
    raw, _ = exported(Line(key=text, amount="-1.50"))
    for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=separator):
        for cell in row:
            first = cell.lstrip(' "')[:1]
            assert first not in {"=", "+", "@", "\t", "\r"} or cell.startswith("'")
            assert first != "-" or cell.lstrip(' "').split('"')[0].replace(".", "").replace("-", "", 1).isdigit()


def test_the_stream_stays_open_for_its_owner() -> None:
    stream = io.BytesIO()
    export_csv([], stream)
    assert not stream.closed
