"""Writing into the books against bare appends of the same bytes with the same durability."""

import os
import shutil
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path

from connector_service.contract.registry import Given, open_target
from connector_service.contract.target import Done, Posting, Prepared
from connector_service.domain.documents import Line, SalesInvoice
from connector_service.domain.kinds import Kind
from tests.benchmarks.conftest import Figures, in_turn
from tests.systems.folder.drop import NoVault

COUNT = 10_000


def documents() -> list[Posting]:
    """Invoices of two lines over one year."""
    found = []
    for number in range(COUNT):
        lines = tuple(
            Line(
                number=str(at),
                description="Turning and milling",
                amount=Decimal("50.00"),
                account="8000",
                tax_code="V21",
            )
            for at in (1, 2)
        )
        document = SalesInvoice(
            key=str(number),
            number=f"INV-{number}",
            date=date(2026, 1, 1) + timedelta(days=number % 300),
            party_key=f"C{number % 200}",
            party_name=f"Customer {number % 200} & Sons B.V.",
            currency="EUR",
            total=Decimal("121.00"),
            tax_total=Decimal("21.00"),
            lines=lines,
        )
        found.append(Posting(document, f"reference-{number:08}"))
    return found


def test_writing_into_the_books(figures: Figures, tmp_path: Path) -> None:
    postings = documents()
    given = Given("main", tmp_path, NoVault(), UTC, {})
    first = open_target("journal", {"company": "first"}, given)
    size = first.manifest.limits.batch_size
    batches: list[Prepared] = []

    def preparing() -> None:
        batches[:] = [
            first.prepare(Kind.SALES_INVOICE, postings[at : at + size], f"key-{at}") for at in range(0, COUNT, size)
        ]

    preparing()
    written = 0

    def ours() -> None:
        nonlocal written
        shutil.rmtree(tmp_path / "books", ignore_errors=True)
        target = open_target("journal", {"company": "books"}, given)
        target.company()
        for batch in batches:
            outcomes = target.push(batch)
            assert all(isinstance(one, Done) for one in outcomes)
        target.close()
        written = sum(file.stat().st_size for file in (tmp_path / "books").glob("2026.beancount"))

    ours()
    share = b"x" * (written // len(batches))

    def bare() -> None:
        file = tmp_path / "bare"
        file.unlink(missing_ok=True)
        for _ in batches:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(handle, share)
            os.fsync(handle)
            os.close(handle)

    slow, fast = in_turn(ours, bare, 5)
    name = f"writing {COUNT:,} documents to the journal, {size} a call"
    figures.add(name, slow / fast, "times", "bare appends of as many bytes, forced to disk once a call", "at most 3")
    preparing_seconds, _ = in_turn(preparing, lambda: None, 3)
    figures.add("building the text of a document", preparing_seconds / COUNT * 1e6, "µs", "the clock")
    first.close()
