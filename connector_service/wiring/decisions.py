"""What a person decides about documents and issues."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from connector_service.contract.journal import Context, Event, IssueRow
from connector_service.domain.problems import NeedsUser
from connector_service.engine import actions, brakes
from connector_service.engine.setup import Route
from connector_service.store.listing import DocumentRow
from connector_service.store.repository import Repository


def found(store: Repository, document_id: int) -> DocumentRow:
    """A document; raises ``NeedsUser`` where there is none of this number."""
    row = store.listing.document(document_id)
    if row is None:
        raise NeedsUser(f"There is no document {document_id}.", fix="See `connector documents`.", code="NOT_FOUND")
    return row


def act(
    store: Repository,
    context: Context,
    row: DocumentRow,
    action: str,
    remote_id: str | None,
    open_route: Callable[[str], AbstractContextManager[Route]],
) -> None:
    """What a person does to one document: retry, ignore, mark, mark-sent, accept, undo, settle.

    Raises ``Conflict`` where the document's state has no such way, and what the target says to an undo.
    """
    known = store.by_ids([row.id])[0]
    if action == "settle":
        actions.settle_by_person(store, context, known, remote_id)
    elif action == "accept":
        actions.accept_change(store, context, known)
    elif action == "mark-sent":
        actions.mark_sent(store, context, known)
    elif action == "undo":
        with open_route(context.route) as route:
            actions.undo(store, context, route.target, known, datetime.now(UTC).date())
    else:
        actions.put_aside(store, context, action, [known])


def confirm(store: Repository, number: int, actor: str) -> IssueRow:
    """A person says that what an issue asks about is right; the next run goes on.

    Raises ``NeedsUser`` where there is no such open issue, or where it is none that can be confirmed.
    """
    issue = store.runs.issue(number)
    if issue is None or issue.closed is not None:
        raise NeedsUser(f"There is no open issue {number}.", fix="See `connector issues`.", code="NOT_FOUND")
    if not issue.confirmable:
        raise NeedsUser(f"Issue {number} goes away when its cause has gone.", fix=issue.fix, code="NOT_POSSIBLE_NOW")
    if issue.code in brakes.CODES:
        state = store.route_state(issue.route)
        if state is not None:
            kind, _, count = issue.key.partition(":")
            state.accepted[kind] = int(count)
            store.save_route_state(issue.route, state)
    details = {"issue": number, "code": issue.code}
    store.record(Event("confirmed", issue.route, actor, key=issue.key, details=details))
    store.close_issues(issue.route, (issue.code,), issue.key)
    return issue
