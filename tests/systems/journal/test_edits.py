"""Somebody edits the books, or their index, while the connector is at work; or two programs are at them at once."""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector_service.contract.target import Done, LookUp, Posting, Refused
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import NeedsUser, RetryLater
from connector_service.domain.reference import ReferenceKind
from connector_service.files import exclusive
from connector_service.targets.journal.adapter import JournalTarget
from connector_service.targets.journal.balances import balances
from tests.support.documents import plain
from tests.systems.journal.helpers import INVOICE, edit, push, there, without
from tests.systems.journal.names import reference
from tests.systems.journal.oracle import bean_check, read
from tests.systems.journal.test_crash import finished, worker


def test_a_deleted_transaction_is_not_found_and_can_be_booked_again(target: JournalTarget, books: Path) -> None:
    without(books / "2026.beancount", 2)
    assert there(target) == [0, 1, 3, 4]
    assert [one.found for one in push(target, range(5))] == [True, True, False, True, True]
    assert read(books).references == Counter(reference(place) for place in range(5))


def test_an_edit_between_pushes_is_kept(target: JournalTarget, books: Path) -> None:
    year = books / "2026.beancount"
    edit(year, "Sales invoice INV-1", "Sales invoice INV-1 (checked by Ann)")
    year.write_text(year.read_text().rstrip("\n"))  # an editor that ends the file without a line break
    push(target, range(3, 7))
    text = year.read_text()
    assert "checked by Ann" in text
    seen = read(books)
    assert seen.errors == []
    assert seen.references == Counter(reference(place) for place in range(7))


def test_changed_amounts_are_told_as_they_stand(target: JournalTarget, books: Path) -> None:
    year = books / "2026.beancount"
    edit(year, "Assets:Receivable:C1  121.01 EUR", "Assets:Receivable:C1  1,121.01 EUR")
    edit(year, "Income:8000  -60.00 EUR", "Income:8000  -1,060.00 EUR")
    edit(year, "Income:8000  -1,060.00 EUR", "Income:8000  -60.00 EUR")
    ((found,),) = target.look_up([LookUp(INVOICE, external_reference=reference(1))])
    assert found.total == Decimal("1121.01")
    assert [one.total for one in target.booked(INVOICE, found.date or date.min, found.date or date.max)] == [
        found.total
    ]


def test_reformatted_books_are_understood(target: JournalTarget, books: Path) -> None:
    year = books / "2026.beancount"
    text = year.read_text()
    text = (
        text.replace("  reference: ", "\t\treference:   ")
        .replace("2026-01", "2026/01")
        .replace(" EUR\n", "   EUR ; ok\n")
    )
    year.write_bytes(b"\xef\xbb\xbf" + text.lstrip("\n").replace("\n", "\r\n").encode())
    before = target.look_up([LookUp(INVOICE, number="INV-3")])[0][0]
    assert (before.external_reference, before.total, before.date) == (
        reference(3),
        Decimal("121.03"),
        date(2026, 1, 18),
    )
    assert there(target) == [0, 1, 2, 3, 4]
    assert all(one.found for one in push(target, range(5)))
    push(target, range(5, 6))
    assert there(target) == [0, 1, 2, 3, 4, 5]


def test_files_may_be_moved_and_included_otherwise(target: JournalTarget, books: Path) -> None:
    (books / "old").mkdir()
    (books / "2026.beancount").rename(books / "old" / "first half.beancount")
    edit(books / "main.beancount", 'include "2026.beancount"', 'include "old/*.beancount"')
    assert there(target) == [0, 1, 2, 3, 4]
    push(target, range(4, 6))
    assert sorted(path.name for path in books.glob("2026*")) == ["2026.beancount"]
    assert there(target) == [0, 1, 2, 3, 4, 5]
    assert read(books).references == Counter(reference(place) for place in range(6))
    assert bean_check(books).returncode == 0


def test_a_file_that_is_no_longer_included_is_no_part_of_the_books(target: JournalTarget, books: Path) -> None:
    edit(books / "main.beancount", 'include "2026.beancount"\n', "")
    assert there(target) == []


def test_a_transaction_that_is_commented_out_is_gone(target: JournalTarget, books: Path) -> None:
    year = books / "2026.beancount"
    parts = year.read_text().split("\n\n")
    parts[1] = "\n".join(f"; {line}" for line in parts[1].split("\n"))
    year.write_text("\n\n".join(parts))
    assert len(there(target)) == 4


def test_a_document_kept_by_hand_is_seen_by_its_number(target: JournalTarget, books: Path) -> None:
    with (books / "2026.beancount").open("a") as out:
        out.write(
            '\n2026-02-02 ! "Client" "By hand"\n  kind: "sales_invoice"\n  number: "HAND-1"\n'
            "  Assets:Receivable:C1   50.00 EUR\n  Income:8000\n"
        )
    ((found,),) = target.look_up([LookUp(INVOICE, number="HAND-1")])
    assert (found.total, found.external_reference, found.remote_id) == (Decimal("50.00"), "", "HAND-1")
    assert target.look_up([LookUp(Kind.VENDOR_BILL, number="HAND-1")]) == [[]]
    assert ("Income:8000", "EUR", Decimal("-350.00")) in balances(books)


def test_bills_are_told_apart_by_supplier(tmp_path: Path) -> None:
    target = JournalTarget(tmp_path / "books")
    bills = [plain(Kind.VENDOR_BILL, place, number="77", party_key=f"S{place}") for place in (1, 2)]
    target.push(target.prepare(Kind.VENDOR_BILL, [Posting(one, one.key) for one in bills], ""))
    questions = [LookUp(Kind.VENDOR_BILL, number="77", party_id=party) for party in ("S1", "S2", "S3", "")]
    assert [len(found) for found in target.look_up(questions)] == [1, 1, 0, 2]


def test_two_processes_at_once_book_each_document_once(books: Path) -> None:
    JournalTarget(books).company()
    both = [worker(books, 0, 40, size=3), worker(books, 0, 40, size=7)]
    said: list[str] = []
    for process in both:
        status, lines = finished(process)
        assert status == 0
        said += lines
    assert Counter(line.split()[0] for line in said) == {"Done": 80}
    assert sum(line.endswith("False") for line in said) == 40
    seen = read(books)
    assert seen.errors == []
    assert seen.references == Counter(reference(place) for place in range(40))


def test_another_program_that_holds_the_books_is_waited_for_then_told(target: JournalTarget, books: Path) -> None:
    impatient = JournalTarget(books, patience=0)
    before = (books / "2026.beancount").read_bytes()
    with exclusive(books / ".lock"), pytest.raises(RetryLater) as caught:
        push(impatient, range(5, 6))
    assert "another program" in caught.value.what
    assert (books / "2026.beancount").read_bytes() == before
    push(impatient, range(5, 6))


def test_accounts_that_a_person_restricted_are_respected(target: JournalTarget, books: Path) -> None:
    accounts = books / "accounts.beancount"
    edit(accounts, "1900-01-01 open Income:8100", "2026-01-01 open Income:8100 EUR,USD")
    with accounts.open("a") as out:
        out.write("\n2026-12-01 close Income:8100\n")
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 1)]
    posts = [Posting(plain(INVOICE, 10 + at, date=day), reference(10 + at)) for at, day in enumerate(days)]
    posts.append(Posting(plain(INVOICE, 20, currency="GBP"), reference(20)))
    outcomes = target.push(target.prepare(INVOICE, posts, ""))
    assert [type(one) for one in outcomes] == [Refused, Done, Refused, Refused]
    refused = outcomes[0]
    assert isinstance(refused, Refused)
    assert "Income:8100" in refused.problem.what
    assert read(books).errors == []


def test_books_that_somebody_keeps_already_are_adopted(books: Path) -> None:
    books.mkdir()
    own = (
        'option "title" "Our books"\noption "operating_currency" "USD"\n'
        "1999-01-01 open Assets:Bank\n1999-01-01 open Income:8000\n1999-01-01 commodity EUR\n"
        '2020-01-01 * "Old"\n  Assets:Bank  1 USD\n  Income:8000'
    )
    (books / "main.beancount").write_text(own)
    target = JournalTarget(books)
    company = target.company()
    assert (company.name, company.currency) == ("Our books", "USD")
    push(target, range(2))
    assert (books / "main.beancount").read_text().startswith(own)
    assert read(books).errors == []
    assert JournalTarget(books).company().id == company.id
    assert {"Assets:Bank", "Income:8000"} <= {record.id for record in target.reference(ReferenceKind.ACCOUNT, None)}


def test_a_missing_main_file_is_not_made_anew(target: JournalTarget, books: Path) -> None:
    (books / "main.beancount").unlink()
    with pytest.raises(RetryLater):
        push(target, range(5, 6))
    for call in (JournalTarget(books).company, lambda: push(JournalTarget(books), range(5, 6))):
        with pytest.raises(NeedsUser) as caught:
            call()
        assert "main.beancount" in caught.value.what
    assert not (books / "main.beancount").exists()


def test_a_drive_that_is_gone_is_not_replaced_by_new_books(tmp_path: Path) -> None:
    target = JournalTarget(tmp_path / "drive" / "books")
    with pytest.raises(RetryLater):
        target.company()
    assert not (tmp_path / "drive").exists()


def test_a_folder_that_may_not_be_written(target: JournalTarget, books: Path, read_only: Any) -> None:
    target.close()
    with read_only(books):
        fresh = JournalTarget(books)
        assert there(fresh) == [0, 1, 2, 3, 4]
        with pytest.raises(NeedsUser) as caught:
            push(fresh, range(5, 6))
        assert caught.value.code == "TARGET_UNREACHABLE"
        with pytest.raises(NeedsUser):
            fresh.company()
        fresh.close()
    push(target, range(5, 6))
    assert read(books).references == Counter(reference(place) for place in range(6))
