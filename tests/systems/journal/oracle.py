"""What the books must say, worked out from the documents alone, and what independent programs read in them."""

import csv
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from beancount import loader
from beancount.core.data import Transaction

from connector_service.contract.target import Posting
from connector_service.domain.documents import Document, TimeRecord
from connector_service.domain.kinds import Kind
from tests.systems.journal.names import reference

GROUPS = ("Assets:Receivable", "Liabilities:Payable", "Liabilities:Tax", "Assets:InputTax", "Income", "Expenses")
"""The groups of accounts whose sums the documents determine."""

Sums = dict[tuple[str, str], Decimal]


def postings(documents: Sequence[Document], first: int = 0) -> list[Posting]:
    """The documents with references by their place."""
    return [Posting(document, reference(place)) for place, document in enumerate(documents, first)]


def expected(documents: Iterable[Document]) -> Sums:
    """The sums of the groups of accounts, by group and currency; debit is positive."""
    sums: Sums = defaultdict(Decimal)
    for document in documents:
        if isinstance(document, TimeRecord):
            sums["Assets:Time", "MINUTES"] += document.minutes
            sums["Equity:Time", "MINUTES"] -= document.minutes
            continue
        total, tax, currency = document.total, document.tax_total, document.currency
        match document.kind:
            case Kind.SALES_INVOICE:
                party, taxes, result, sign = "Assets:Receivable", "Liabilities:Tax", "Income", 1
            case Kind.SALES_CREDIT_NOTE:
                party, taxes, result, sign = "Assets:Receivable", "Liabilities:Tax", "Income", -1
            case Kind.VENDOR_BILL:
                party, taxes, result, sign = "Liabilities:Payable", "Assets:InputTax", "Expenses", -1
            case _:
                party, taxes, result, sign = "Liabilities:Payable", "Assets:InputTax", "Expenses", 1
        sums[party, currency] += sign * total
        sums[taxes, currency] -= sign * tax
        sums[result, currency] -= sign * (total - tax)
    return {key: value for key, value in sums.items() if value}


def grouped(accounts: Iterable[tuple[str, str, Decimal]]) -> Sums:
    """Balances of accounts summed into the groups."""
    sums: Sums = defaultdict(Decimal)
    for account, currency, amount in accounts:
        group = next(
            (name for name in (*GROUPS, "Assets:Time", "Equity:Time") if account.startswith(f"{name}:")), account
        )
        sums[group, currency] += amount
    return {key: value for key, value in sums.items() if value}


@dataclass
class Read:
    """The books as Beancount's own loader reads them."""

    errors: list[str]
    transactions: list[Transaction]
    references: Counter[str] = field(default_factory=Counter)

    def accounts(self) -> list[tuple[str, str, Decimal]]:
        """Account, currency and amount of every posting."""
        return [amount for entry in self.transactions for amount in amounts_of(entry)]


def amounts_of(entry: Transaction) -> list[tuple[str, str, Decimal]]:
    """Account, currency and amount of the postings of a transaction."""
    found = []
    for posting in entry.postings:
        assert posting.units is not None
        assert posting.units.number is not None
        found.append((posting.account, posting.units.currency, posting.units.number))
    return found


def read(folder: Path) -> Read:
    """Load the books with Beancount, as ``bean-check`` does."""
    entries, errors, _ = loader.load_file(str(folder / "main.beancount"))
    transactions = [entry for entry in entries if isinstance(entry, Transaction)]
    references = Counter(entry.meta["reference"] for entry in transactions if "reference" in entry.meta)
    return Read([f"{error.source}: {error.message}" for error in errors], transactions, references)


def bean_check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``bean-check``."""
    program = Path(sys.executable).with_name("bean-check")
    return subprocess.run([program, folder / "main.beancount"], capture_output=True, text=True, check=False)


def hledger(journal: Path, *words: str) -> str:
    """Run ``hledger`` and return what it prints; it must succeed."""
    answer = subprocess.run(
        ["hledger", "-f", journal, *words],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert answer.returncode == 0, answer.stderr[:2000]
    return answer.stdout


def hledger_balances(journal: Path) -> list[tuple[str, str, Decimal]]:
    """Account, currency and balance as ``hledger`` adds them up."""
    found = []
    for account, balance in list(csv.reader(hledger(journal, "balance", "--flat", "-O", "csv", "-N").splitlines()))[1:]:
        for amount in balance.split(", "):
            number, _, currency = amount.partition(" ")
            if currency:
                found.append((account, currency, Decimal(number)))
    return found
