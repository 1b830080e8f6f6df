"""A mark at the source that a power cut ends in the middle does not keep the source from being read."""

import sqlite3
import subprocess
import sys
from datetime import UTC
from pathlib import Path

from connector_service.contract.registry import Given, open_source
from connector_service.contract.source import Window
from connector_service.domain.kinds import Kind
from tests.systems.folder.drop import NoVault

PROFILE = '''
[sales_invoice]
query = """
select h.No as "key", h.No as number, h.Day as date, 'C1' as party_key, 'EUR' as currency, '1.00' as total,
       h.Exported as exported, 1 as "line.number", 'Work' as "line.description", '1.00' as "line.amount"
from Invoice h where h.Day >= :from_date and h.Day <= :to_date order by h.No"""
mark_exported = "update Invoice set Exported = 1 where No = :key"
'''

CUT_OFF = """
import os, signal, sqlite3, sys
shop = sqlite3.connect(sys.argv[1], isolation_level=None)
shop.execute("pragma cache_size = 2")
shop.execute("pragma cache_spill = 1")
shop.execute("begin immediate")
shop.execute("update Invoice set Exported = 1, Filler = hex(randomblob(900))")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_crash_left_of_a_mark_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as shop:
        shop.execute("create table Invoice (No text primary key, Day text, Exported integer, Filler text)")
        rows = [(f"{number:04}", "2026-03-01", 0, "x" * 1800) for number in range(300)]
        shop.executemany("insert into Invoice values (?, ?, ?, ?)", rows)
    shop.close()
    (tmp_path / "profile.toml").write_text(PROFILE, encoding="utf-8")
    subprocess.run([sys.executable, "-c", CUT_OFF, str(file)], check=False, timeout=60)
    assert file.with_name("shop.db-journal").stat().st_size > 0

    given = Given("main", tmp_path, NoVault(), UTC, {}, (tmp_path,))
    source = open_source("sql", {"url": "sqlite:///shop.db", "profile": "profile.toml"}, given)
    records = list(source.read(Kind.SALES_INVOICE, None, Window()))
    source.close()
    assert len(records) == 300
    assert not any(getattr(record, "exported", True) for record in records)
