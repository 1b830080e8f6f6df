"""The target's own lists, pulled into the store."""

from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Final

from connector_service.domain.reference import ReferenceKind
from connector_service.engine.setup import Route

_FRESH: Final = timedelta(minutes=15)
_OVERLAP: Final = timedelta(minutes=5)


def pull(
    route: Route, company: str, kinds: Sequence[ReferenceKind], only_stale: bool = False
) -> dict[ReferenceKind, int]:
    """Pull lists of the target, incrementally where it can; returns how many records came of each."""
    came = {}
    for kind in kinds:
        began, now = monotonic(), route.clock()
        last = route.journal.reference_pulled(company, kind)
        if only_stale and last is not None and now - last < _FRESH:
            continue
        part = last is not None and kind in route.target.manifest.reference_since
        since = last - _OVERLAP if part and last is not None else None
        records = route.target.reference(kind, since)
        seconds = monotonic() - began
        came[kind] = route.journal.save_reference(company, kind, records, since is None, now, seconds)
    return came
