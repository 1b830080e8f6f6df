"""Reversals and attachments in the books."""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

from connector_service.contract.target import BookedState, Done, LookUp, Refused
from connector_service.domain.documents import Attachment
from connector_service.targets.journal.adapter import JournalTarget
from tests.systems.journal.helpers import INVOICE, edit, push
from tests.systems.journal.names import reference
from tests.systems.journal.oracle import amounts_of, bean_check, read


def test_voiding_reverses_what_stands_there_now(target: JournalTarget, books: Path) -> None:
    year = books / "2026.beancount"
    edit(year, "Income:8100  -40.02 EUR", "Income:8100  -30.02 EUR\n  Income:Extra  -10.00 EUR")
    with (books / "accounts.beancount").open("a") as out:
        out.write("1900-01-01 open Income:Extra\n")
    first = target.void(INVOICE, reference(2), "void-2", date(2027, 1, 1))
    assert first == Done(reference(2), "INV-2")
    text = (books / "2027.beancount").read_text()
    for again in ("void-2", "other"):
        assert target.void(INVOICE, reference(2), again, date(2027, 1, 1)) == Done(reference(2), "INV-2", found=True)
    assert (books / "2027.beancount").read_text() == text
    seen = read(books)
    assert seen.errors == []
    sums: dict[str, Decimal] = {}
    for entry in seen.transactions:
        if reference(2) in (entry.meta.get("void_of"), entry.meta.get("reference")):
            for account, _, amount in amounts_of(entry):
                sums[account] = sums.get(account, Decimal(0)) + amount
    assert len(sums) == 5
    assert set(sums.values()) == {0}


def test_what_was_reversed_can_be_booked_again_and_reversed_again(target: JournalTarget, books: Path) -> None:
    for turn in range(3):
        target.void(INVOICE, reference(1), f"void-{turn}", date(2026, 6, 1))
        states = [one.state for one in target.look_up([LookUp(INVOICE, external_reference=reference(1))])[0]]
        assert states == [BookedState.VOID] * (turn + 1)
        assert [one.found for one in push(target, range(1, 2))] == [False]
        target.close()
        (books / ".index.db").unlink()
        states = [one.state for one in target.look_up([LookUp(INVOICE, external_reference=reference(1))])[0]]
        assert Counter(states) == {BookedState.VOID: turn + 1, BookedState.OPEN: 1}
    assert target.void(INVOICE, reference(1), "void-0", date(2026, 6, 1)) == Done(reference(1), "INV-1", found=True)
    assert there_open(target, 1)
    assert read(books).errors == []


def there_open(target: JournalTarget, place: int) -> bool:
    """Whether a document stands in the books and is not reversed."""
    found = target.look_up([LookUp(INVOICE, external_reference=reference(place))])[0]
    return any(one.state is BookedState.OPEN for one in found)


def test_what_has_no_plain_amounts_is_not_reversed(target: JournalTarget, books: Path) -> None:
    edit(books / "2026.beancount", "Income:8100  -40.02 EUR", "Income:8100")
    outcome = target.void(INVOICE, reference(2), "void-2", date(2026, 6, 1))
    assert isinstance(outcome, Refused)
    assert "2026.beancount" in outcome.problem.why


def test_attachments_are_files_beside_the_books(target: JournalTarget, books: Path) -> None:
    odd = Attachment("..\\..\\évil name/../invoice 1.pdf", "application/pdf", "")
    for _ in range(2):
        target.attach(INVOICE, reference(1), odd, b"content")
    target.attach(INVOICE, reference(1), odd, b"other content")
    files = [path for path in (books / "documents").rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in files) == [b"content", b"other content"]
    assert {path.parent for path in files} == {books / "documents" / "2026"}
    assert bean_check(books).returncode == 0
    assert (books / "2026.beancount").read_text().count(" document Assets:Receivable:C1 ") == 2
    target.close()
    (books / ".index.db").unlink()
    target.attach(INVOICE, reference(1), odd, b"content")
    assert (books / "2026.beancount").read_text().count(" document Assets:Receivable:C1 ") == 2
