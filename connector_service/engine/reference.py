"""The target's own lists, pulled into the store."""

from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Final

from connector_service.contract.manifest import TargetManifest
from connector_service.contract.target import Bookkeeping, Target
from connector_service.domain.problems import SettingsFault
from connector_service.domain.reference import ReferenceKind
from connector_service.engine.setup import Route

_FRESH: Final = timedelta(minutes=15)
_OVERLAP: Final = timedelta(minutes=5)


def lists_to_pull(manifest: TargetManifest, kinds: Sequence[ReferenceKind]) -> list[ReferenceKind]:
    """The lists that are asked for, or all that the target has; raises ``SettingsFault`` for one that it has not."""
    for kind in kinds:
        if kind not in manifest.reference_kinds:
            raise SettingsFault(
                f"{manifest.title} has no list of this kind: {kind}.",
                why=f"It has: {', '.join(sorted(manifest.reference_kinds)) or 'none'}.",
                code="NOT_POSSIBLE_HERE",
            )
    return [kind for kind in ReferenceKind if kind in (kinds or manifest.reference_kinds)]


def own_books(target: Target) -> Bookkeeping:
    """The target as one that keeps books of its own; raises ``SettingsFault`` where it does not."""
    if isinstance(target, Bookkeeping):
        return target
    raise SettingsFault(
        f"{target.manifest.title} keeps its books itself.",
        why="This is for the embedded books (the target journal).",
        fix=f"Look at the books in {target.manifest.title}.",
        code="NOT_POSSIBLE_HERE",
    )


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
