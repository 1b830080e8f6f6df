"""A process of its own that pushes documents: tests end it at named places, take its disk away, or run two."""

import sys
from datetime import date
from pathlib import Path

from connector_service.contract.target import Posting
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import ConnectorError
from connector_service.targets.journal.adapter import JournalTarget
from tests.support.documents import plain
from tests.systems.journal.names import reference


def main() -> int:
    """``FOLDER FIRST LAST SIZE``: push invoices by calls of that size; each is named on standard output when done."""
    folder, first, last, size = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    target = JournalTarget(folder)
    for at in range(first, last, size):
        # Two years, so that one call writes to more than one file.
        posts = [
            Posting(plain(Kind.SALES_INVOICE, place, date=date(2025 + place % 2, 3, 1)), reference(place))
            for place in range(at, min(at + size, last))
        ]
        try:
            outcomes = target.push(target.prepare(Kind.SALES_INVOICE, posts, f"key-{at}"))
        except ConnectorError as fault:
            print(f"fault {type(fault).__name__} {fault.code}", flush=True)
            return 1
        for posting, outcome in zip(posts, outcomes, strict=True):
            print(type(outcome).__name__, posting.external_reference, getattr(outcome, "found", ""), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
