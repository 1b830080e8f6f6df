"""Opening a route: which source and which company it pairs, and what it remembers of them."""

from dataclasses import replace

from connector_service.contract.journal import Event, RouteState
from connector_service.contract.target import CompanyInfo
from connector_service.domain.messages import problem
from connector_service.domain.problems import Stop
from connector_service.domain.status_codes import IssueCode
from connector_service.engine.setup import Route


def open_route(route: Route, run: int | None) -> tuple[CompanyInfo, int, RouteState]:
    """Read both sides' names and find what the route remembers; raises ``Stop`` where they have changed."""
    company = route.target.company()
    identity = route.source.identity()
    pair = route.journal.pair(identity, company.id)
    made_from = ", ".join(f"{kind}={one}" for kind, one in sorted(route.options.made_from.items()))
    state = route.journal.route_state(route.name)
    if state is None or not state.pair:  # a route may be stopped before it has ever run
        stopped = state is not None and state.stopped
        ask_first = route.journal.was_recovered()
        state = RouteState(pair, identity, company.id, made_from, ask_first=ask_first, stopped=stopped)
        route.journal.save_route_state(route.name, state, Event("route_opened", route.name, run=run))
    elif (state.pair, state.made_from) != (pair, made_from):
        new = replace(state, pair=pair, made_from=made_from, source_identity=identity, company=company.id)
        state = _changed(route, state, new, run)
    return company, pair, state


def _changed(route: Route, old: RouteState, new: RouteState, run: int | None) -> RouteState:
    """Another source, company or kind of record: the same work would be booked again, but for a new begin date."""
    begin = route.options.begin
    if begin is None or begin == old.begin:
        # A source that is only out of reach, or named wrongly, says so itself, and better.
        route.source.check()
        found = problem(IssueCode.BEGIN_DATE_NEEDED, why=_what_changed(old, new), route=route.name)
        raise Stop(found.what, why=found.why, fix=found.fix, code=found.code)
    new.begin, new.cursors, new.probes, new.accepted = None, {}, {}, {}
    event = Event("route_changed", route.name, run=run, details={"begin": begin.isoformat()})
    route.journal.save_route_state(route.name, new, event)
    return new


def _what_changed(old: RouteState, new: RouteState) -> str:
    changes = []
    if new.source_identity != old.source_identity:
        changes.append(f"The source was {old.source_identity} and is {new.source_identity}.")
    if new.company != old.company:
        changes.append(
            f"The company in the books was {old.company} and is {new.company}. If its books were moved, lost or made"
            " anew, put the old ones back instead: then nothing has changed."
        )
    if new.made_from != old.made_from:
        own = "their own records"
        changes.append(f"Documents were made from {old.made_from or own} and now are from {new.made_from or own}.")
    return " ".join(changes)
