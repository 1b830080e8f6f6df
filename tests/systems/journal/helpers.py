"""What tests do with books: push, look, edit as an editor would."""

from pathlib import Path
from typing import Any

from connector_service.contract.target import Done, LookUp, Posting
from connector_service.domain.kinds import Kind
from connector_service.targets.journal.adapter import JournalTarget
from tests.support.documents import plain
from tests.systems.journal.names import reference

INVOICE = Kind.SALES_INVOICE


def push(target: JournalTarget, places: range, **changes: Any) -> list[Done]:
    """Push invoices; all must be done."""
    posts = [Posting(plain(INVOICE, place, **changes), reference(place)) for place in places]
    outcomes = target.push(target.prepare(INVOICE, posts, "key"))
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    assert len(done) == len(outcomes), outcomes
    return done


def there(target: JournalTarget, last: int = 8) -> list[int]:
    """Which of the first invoices are found by their reference."""
    answers = target.look_up([LookUp(INVOICE, external_reference=reference(place)) for place in range(last)])
    assert all(len(found) <= 1 for found in answers)
    return [place for place, found in enumerate(answers) if found]


def edit(path: Path, old: str, new: str) -> None:
    """Change the first occurrence of a text, as an editor would."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def without(path: Path, place: int) -> None:
    """Delete one transaction."""
    parts = path.read_text(encoding="utf-8").split("\n\n")
    kept = [part for part in parts if f'reference: "{reference(place)}"' not in part]
    assert len(kept) == len(parts) - 1
    path.write_text("\n\n".join(kept), encoding="utf-8")
