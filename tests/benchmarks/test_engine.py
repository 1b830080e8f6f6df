"""How the cost of a run grows, and how planning and marking compare with the bare statements below them."""

import gc
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from connector_service.app import App
from connector_service.contract.source import FIRST_DATE, LAST_DATE, Window
from connector_service.contract.target import CompanyInfo
from connector_service.domain.kinds import Kind
from connector_service.engine.begin_date import before
from connector_service.engine.chunks import chunked
from connector_service.engine.gather import Gatherer
from connector_service.engine.plan import plan
from connector_service.engine.run import Request
from connector_service.store.migrations.m0001_first import STATEMENTS
from tests.benchmarks.conftest import Figures, in_turn
from tests.benchmarks.shop import QUERY, make_home


@pytest.fixture(autouse=True)
def secrets_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_VAULT", "file")


def exported_home(home: Path, documents: int) -> Path:
    """A route on which everything was exported: the newest by a real run, the older ones put into the store in bulk."""
    make_home(home, documents, lines=1)
    with App(home, write=True) as app:
        assert app.sync("main", Request()).exit == 0
        app.store.database.execute("UPDATE document SET state = 'exported', fingerprint = x'00' WHERE state = 'marked'")
        with app.store.database.write():
            app.store.database.execute("DELETE FROM tally")
            app.store.database.execute(
                "INSERT INTO tally SELECT pair, kind, state, count(*) FROM document GROUP BY pair, kind, state"
            )
        assert app.sync("main", Request()).counts.get("exported", 0) == 0
    return home


def test_a_run_with_nothing_new(figures: Figures, tmp_path: Path) -> None:
    many, few = (1_000_000, 10_000) if figures.long else (100_000, 5_000)
    large, small = exported_home(tmp_path / "large", many), exported_home(tmp_path / "small", few)
    with App(large, write=True) as one, App(small, write=True) as other:
        assert one.sync("main", Request()).counts.get("exported", 0) == 0
        slow, fast = in_turn(lambda: one.sync("main", Request()), lambda: other.sync("main", Request()), 15)
    name = f"a run with nothing new, {many:,} exported documents"
    figures.add(name, slow / fast, "times", f"the same with {few:,}", "at most 1.2")
    figures.add(name, slow * 1000, "ms", "the clock", "under 100 ms")


def test_marking_older_records(figures: Figures, tmp_path: Path) -> None:
    count = 1_000_000 if figures.long else 100_000
    home = make_home(tmp_path / "home", count, lines=1, begin="2026-07-01")
    begin = date(2026, 7, 1)
    taken: list[float] = []

    def marking() -> None:
        for file in home.glob("state.db*"):
            file.unlink()
        with App(home, write=True) as app, app.route("main") as route:
            pair = app.store.pair("benchmark", "books")
            context = route.context(pair, None)
            gc.collect()
            heads = route.source.heads(Kind.SALES_INVOICE, before(begin))
            from time import perf_counter

            began = perf_counter()
            assert app.store.mark_heads(context, Kind.SALES_INVOICE, "", heads, begin) == count
            taken.append(perf_counter() - began)
        for file in (home / "audit").glob("*"):
            file.unlink()

    bare_times: list[float] = []

    def bare() -> None:
        from time import perf_counter

        file = tmp_path / "bare.db"
        file.unlink(missing_ok=True)
        with sqlite3.connect(home / "shop.db") as shop:
            rows = shop.execute("select InvoiceNo, InvDate, Cust, Total from Invoice").fetchall()
        connection = sqlite3.connect(file)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        for statement in STATEMENTS:
            connection.execute(statement)
        gc.collect()
        began = perf_counter()
        connection.executemany(
            "insert into document (pair, kind, made_from, key, number, date, party_key, currency, total, state,"
            " status_code, run, fingerprint, remote_id, generation, flags, changed)"
            " values (1, 'sales_invoice', '', ?, ?, ?, ?, 'EUR', ?, 'marked', '', 0, x'', '', 0, 0, 0)",
            ((str(key), str(key), day, party, int(total * 100)) for key, day, party, total in rows),
        )
        connection.commit()
        bare_times.append(perf_counter() - began)
        connection.close()

    in_turn(marking, bare, 3)
    figures.add(
        f"marking {count:,} older records, reading them from the source included",
        sorted(taken)[1] / sorted(bare_times)[1],
        "times",
        "bare SQLite inserts of the same rows that lie ready in memory",
        "at most 2.5",
    )


def test_reading_and_planning(figures: Figures, tmp_path: Path) -> None:
    count = 50_000 if figures.long else 10_000
    home = make_home(tmp_path / "home", count, lines=3, begin="0001-01-02")
    with App(home, write=True) as app, app.route("main") as route:
        company: CompanyInfo = route.target.company()

        def planning() -> int:
            gatherer = Gatherer(route, 1, company)
            planned = 0
            for chunk in chunked(route.source.read(Kind.SALES_INVOICE, None, Window())):
                known = route.journal.known(1, Kind.SALES_INVOICE, "", [record.key for record in chunk])
                view = gatherer.view(Kind.SALES_INVOICE, chunk, known)
                planned += len(plan(chunk, known, view, lambda key: key))
            assert planned == count
            return planned

        def bare() -> int:
            shop = sqlite3.connect(home / "shop.db")
            values = {"since": "", "from_date": str(FIRST_DATE), "to_date": str(LAST_DATE)}
            rows = 0
            for row in shop.execute(QUERY, values):
                rows += len(tuple(row)) > 0
            shop.close()
            assert rows == 3 * count
            return rows

        ours, theirs = in_turn(planning, bare, 5)
    name = f"reading and planning {count:,} documents of 3 lines"
    figures.add(name, ours / theirs, "times", "a bare cursor loop that builds plain tuples", "at most 6")
    figures.add(name, ours / count * 1e6, "µs a document", "the clock")


_PEAK = """
import sys
from pathlib import Path
from connector_service.app import App
from connector_service.engine.run import Request
with App(sys.argv[1], write=True) as app:
    result = app.sync("main", Request())
assert result.exit == 0, result
# Not ru_maxrss: that counts what the parent held when it forked.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(result.counts["exported"], peak.split()[1])
"""


def test_peak_memory_of_a_run(figures: Figures, tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc, which this system does not have")
    many, few = (200_000, 20_000) if figures.long else (20_000, 4_000)
    peaks = []
    for count in (many, few):
        home = make_home(tmp_path / str(count), count, lines=2, begin="0001-01-02")
        answer = subprocess.run(
            [sys.executable, "-c", _PEAK, str(home)], capture_output=True, text=True, check=True, timeout=900
        )
        exported, peak = map(int, answer.stdout.split())
        assert exported == count
        peaks.append(peak)
    name = f"peak memory of a run of {many:,} documents"
    figures.add(name, peaks[0] / peaks[1], "times", f"that of {few:,}", "at most 1.3")
    figures.add(name, peaks[0] / 1024, "MiB", "the process")


def test_exact_amounts_survive_the_benchmarks_own_shop(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", 10, begin="0001-01-02")
    with App(home, write=True) as app:
        result = app.sync("main", Request())
    assert result.totals["sales_invoice"]["EUR"] == {"source": "1210.00", "exported": "1210.00"}
