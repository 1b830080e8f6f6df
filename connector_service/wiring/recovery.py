"""A store that is empty, restored or older than the audit trail gets its receipts back, and stops every route."""

from pathlib import Path

from connector_service.audit.chain import Chain
from connector_service.audit.recover import Standing, compare, receipts, section_event
from connector_service.audit.trail import last_line
from connector_service.domain.messages import problem
from connector_service.domain.status_codes import IssueCode
from connector_service.store.receipts import put_back
from connector_service.store.repository import Repository

_WORDS = {
    Standing.STORE_EMPTY: "The store is empty",
    Standing.STORE_OLDER: "The store is older than the trail, as after restoring a backup",
    Standing.DIFFERENT: "The store and the trail tell of different histories",
}


def recover(store: Repository, folder: Path, chain: Chain) -> None:
    """Put back what the trail in ``folder`` knows and the store does not; an issue stops every route until confirmed.

    Nothing may be sealed before this: an event of a fresh store would hide that it is fresh.
    """
    why = _put_back(store, folder)
    section = section_event(store.trail, folder, chain)
    if section is not None:
        store.record(section)
    if store.database.aside is not None:
        reason, aside = f"The file: {store.database.aside_reason}.", store.database.aside.name
        found = problem(IssueCode.STORE_SET_ASIDE, why=reason, aside=aside, issue="{issue}")
        store.open_issue("", found, confirmable=True)
    if why:
        found = problem(IssueCode.STORE_BEHIND, why=why, target="the books", issue="{issue}")
        store.open_issue("", found, confirmable=True)


def _put_back(store: Repository, folder: Path) -> str:
    sequence, digest = store.trail.head()
    standing = compare(sequence, digest, folder)
    if standing not in _WORDS:
        return ""
    after = sequence if standing is Standing.STORE_OLDER else 0
    last = last_line(folder)
    head = (last.sequence, last.hash) if last else (sequence, digest)
    count = put_back(store.database, store.trail, receipts(folder, after), head)
    return f"{_WORDS[standing]}. {count} receipts were put back from the trail."
