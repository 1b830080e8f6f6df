"""The begin date: what is dated before it is marked once, in bulk, and never pushed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import islice
from typing import Final

from connector_service.contract.journal import Event, RouteState
from connector_service.contract.source import FIRST_DATE, LAST_DATE, Window
from connector_service.domain.documents import Head
from connector_service.domain.kinds import Kind, State
from connector_service.domain.problems import SettingsFault
from connector_service.engine.setup import Route

_CHUNK: Final = 5000
_MARKABLE: Final = frozenset({State.WAITING, State.HELD, State.REFUSED, State.UNREADABLE})


@dataclass(slots=True)
class WouldMark:
    """What setting a begin date would mark, by kind."""

    counts: dict[Kind, int] = field(default_factory=dict)
    totals: dict[Kind, dict[str, int]] = field(default_factory=dict)
    """Minor units by currency; minutes under an empty currency for time records."""

    @property
    def count(self) -> int:
        """Records of all kinds."""
        return sum(self.counts.values())


def before(begin: date) -> Window:
    """The window of everything dated before a begin date."""
    return Window(FIRST_DATE, begin - timedelta(days=1))


def preview(route: Route, pair: int | None, begin: date) -> WouldMark:
    """Count what a begin date would mark, writing nothing."""
    found = WouldMark()
    for kind, head in _unmarked(route, pair, begin):
        found.counts[kind] = found.counts.get(kind, 0) + 1
        totals = found.totals.setdefault(kind, {})
        totals[head.currency] = totals.get(head.currency, 0) + head.total_minor
    return found


def _unmarked(route: Route, pair: int | None, begin: date) -> Iterator[tuple[Kind, Head]]:
    for kind in route.kinds():
        heads = iter(route.source.heads(kind, before(begin)))
        while chunk := list(islice(heads, _CHUNK)):
            known = {}
            if pair is not None:
                known = route.journal.known(pair, kind, route.made_from(kind), [head.key for head in chunk])
            for head in chunk:
                one = known.get(head.key)
                if one is None or one.state in _MARKABLE:
                    yield kind, head


def moves_forward(begin: date | None, old: date | None) -> bool:
    """Whether a begin date is the first, or later than the old one: only then are records marked for their date."""
    return begin is not None and (old is None or begin > old)


def apply_begin(route: Route, pair: int, run: int | None, state: RouteState, actor: str = "service") -> int:
    """Bring the store in step with the begin date of the settings; returns how many records were marked.

    Moving the date back releases nothing; it only says from when on new records are booked.
    """
    begin = route.options.begin
    if begin == state.begin:
        return 0
    marked = 0
    if begin is not None and moves_forward(begin, state.begin):
        context = route.context(pair, run, actor)
        for kind in route.kinds():
            heads = route.source.heads(kind, before(begin))
            marked += route.journal.mark_heads(context, kind, route.made_from(kind), heads, begin)
    old, state.begin = state.begin, begin
    # The probe counts from the begin date on, so that what it was compared with no longer holds.
    state.probes = {}
    details = {"from": old.isoformat() if old else "", "to": begin.isoformat() if begin else ""}
    route.journal.save_route_state(route.name, state, Event("begin_date_set", route.name, actor, run, details=details))
    return marked


def refuse_unless_markable(route: Route) -> None:
    """Raise ``SettingsFault`` where the source of a route can mark none of its kinds as exported."""
    if not any(route.source.can_mark(kind, paid=False) for kind in route.kinds()):
        raise SettingsFault(
            "The source cannot mark records as exported.",
            why=f"{route.source.manifest.title}, as it is set up here, has no way to write a mark.",
            fix="Leave out --mark-source; or add `mark_exported` to the profile, where it is a database.",
            code="NOT_POSSIBLE_HERE",
        )


def mark_at_source(route: Route, begin: date) -> int:
    """Mark everything dated before the begin date as exported at the source too; returns how many."""
    count = 0
    for kind in route.kinds():
        if not route.source.can_mark(kind, paid=False):
            continue
        for keys in _keys(route.source.heads(kind, before(begin))):
            route.source.mark(kind, keys, paid=False)
            count += len(keys)
    return count


def _keys(heads: Iterable[Head]) -> Iterator[list[str]]:
    rest = iter(heads)
    while chunk := [head.key for head in islice(rest, _CHUNK)]:
        yield chunk


def release(route: Route, pair: int, first: date, actor: str) -> int:
    """Lead marked records dated from ``first`` on back to waiting, by a person; returns how many."""
    context = replace(route.context(pair, None), actor=actor)
    return sum(route.journal.release_marked(context, kind, Window(first, LAST_DATE)) for kind in route.kinds())
