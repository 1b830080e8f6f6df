"""Brakes: a source that suddenly has nothing, far less, or far more stops the route until a person confirms."""

from dataclasses import dataclass
from typing import Final

from connector_service.contract.journal import RouteState
from connector_service.contract.source import FIRST_DATE, LAST_DATE, Window
from connector_service.domain.kinds import Kind
from connector_service.domain.messages import KIND_WORDS, problem
from connector_service.domain.problems import Problem
from connector_service.domain.status_codes import IssueCode
from connector_service.engine.setup import Route

CODES: Final = (IssueCode.SOURCE_EMPTY, IssueCode.SOURCE_SHRUNK, IssueCode.TOO_MANY_NEW)
"""The issues that a brake opens."""


@dataclass(frozen=True, slots=True)
class Brake:
    """A brake that was pulled."""

    kind: Kind
    problem: Problem
    count: int
    """What the source has now; confirming takes this as right."""


def probe(route: Route, pair: int | None, state: RouteState) -> tuple[dict[str, int], list[Brake]]:
    """Look cheaply at each kind; returns what the source has, and the brakes that this pulls.

    What is compared is a count over a fixed window (from the begin date on, where the source counts within windows),
    never one increment, so that a quiet day is no cause.
    """
    counts: dict[str, int] = {}
    brakes: list[Brake] = []
    window = Window(route.options.begin or FIRST_DATE, LAST_DATE)
    for kind in route.kinds():
        seen = route.source.probe(kind, window)
        if seen is None:
            continue
        counts[kind.value] = seen.count
        # What a person has confirmed is what is compared with from then on.
        known = state.accepted.get(kind.value, state.probes.get(kind.value))
        if known is None:
            # The first look: what the store knows already (marked records, for the most part) is not new.
            known_there = route.journal.known_count(pair, kind, window if seen.windowed else Window()) if pair else 0
            brake = _too_many(route, kind, seen.count, seen.count - known_there)
        else:
            brake = _shrunk(kind, seen.count, known) or _too_many(route, kind, seen.count, seen.count - known)
        if brake:
            brakes.append(brake)
    return counts, brakes


def _too_many(route: Route, kind: Kind, count: int, new: int) -> Brake | None:
    limit = route.options.max_new_per_run
    if new <= limit:
        return None
    facts = {
        "kind": KIND_WORDS[kind][0],
        "after": f"{new:,}",
        "limit": f"{limit:,}",
        "route": route.name,
        "issue": "{issue}",
    }
    return Brake(kind, problem(IssueCode.TOO_MANY_NEW, **facts), count)


def _shrunk(kind: Kind, count: int, known: int) -> Brake | None:
    facts = {"kind": KIND_WORDS[kind][0], "before": f"{known:,}", "after": f"{count:,}", "issue": "{issue}"}
    if known and not count:
        return Brake(kind, problem(IssueCode.SOURCE_EMPTY, **facts), count)
    if count * 2 < known:
        return Brake(kind, problem(IssueCode.SOURCE_SHRUNK, **facts), count)
    return None
