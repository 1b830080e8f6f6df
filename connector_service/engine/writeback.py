"""Marks at the source for what has been exported: a step of its own that can be repeated."""

from collections import defaultdict
from typing import Final

from connector_service.contract.crashpoints import crash_point
from connector_service.contract.journal import Known
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import ConnectorError
from connector_service.engine.push import marks_paid
from connector_service.engine.setup import Route

_CHUNK: Final = 1000


def write_back(route: Route, pair: int, run: int) -> ConnectorError | None:
    """Make the marks that are pending; returns why some could not be made, and leaves those for the next run."""
    context = route.context(pair, run)
    while pending := route.journal.pending_writebacks(pair, _CHUNK):
        by_kind: dict[Kind, list[Known]] = defaultdict(list)
        for one in pending:
            by_kind[one.kind].append(one)
        for kind, documents in by_kind.items():
            keys = [one.key for one in documents]
            try:
                if route.source.can_mark(kind, paid=False):
                    route.source.mark(kind, keys, paid=False)
                if marks_paid(route, kind):
                    route.source.mark(kind, keys, paid=True)
            except ConnectorError as fault:
                return fault
            crash_point("writeback.after_mark")
            route.journal.clear_writebacks(context, [one.id for one in documents])
    return None
