"""``connector status``, and ``connector`` alone: what is going on, and what to press next."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from connector_service.cli.groups import command, new_app
from connector_service.cli.output import plural
from connector_service.cli.session import Session, session_of
from connector_service.domain.kinds import State

app: typer.Typer = new_app()

_WORDS: Final = {
    "held": "held",
    "refused": "refused",
    "in_doubt": "in doubt",
    "unreadable": "unreadable",
    "drifted": "changed at the source since their export",
    "missing": "missing in the books",
    "waiting": "waiting",
    "queued": "queued",
    "sending": "on their way",
    "exported": "exported",
    "marked": "marked as exported before",
}


@command(app)
def status(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="[ROUTE]", help="Only this route.")] = "",
) -> int:
    """Show whether the service runs, and the state of every route."""
    session = session_of(ctx)
    state = read_state(session)
    if route:
        from connector_service.cli.faults import wrong

        state["routes"] = [one for one in state["routes"] if one["route"] == route]
        if not state["routes"]:
            raise wrong(f'There is no route "{route}".', fix="See `connector status`.")
    if session.as_json:
        session.out.document(state)
        return 0
    for line in _lines(state):
        session.out.say(line)
    if not state["routes"]:
        for line in _first_steps(session):
            session.out.say(line)
    return 0


def overview(session: Session) -> int:
    """The state and the next useful command."""
    state = read_state(session)
    following = _next(state)
    if session.as_json:
        session.out.document({**state, "next": following})
        return 0
    for line in (*_lines(state), ""):
        session.out.say(line)
    if not state["routes"]:
        for line in _first_steps(session):
            session.out.say(line)
    else:
        session.out.say(f"Next: {following}")
    session.out.say("All commands: connector --help")
    return 0


def read_state(session: Session) -> dict[str, Any]:
    """The state, read as cheaply as can be: neither a system nor the libraries of a run are loaded for it."""
    from connector_service.wiring.state import read

    return read(session.home)


def _lines(state: Mapping[str, Any]) -> Iterator[str]:
    service = state["service"]
    running = (
        f"The service is running (process {service['pid']})." if service["running"] else "The service is not running."
    )
    yield f"Connector Service {service['version']}. {running}"
    for route in state["routes"]:
        yield ""
        yield from _route_lines(route)


def _route_lines(route: Mapping[str, Any]) -> Iterator[str]:
    name, last = route["route"], route["last_run"]
    how = "syncs by itself" if route["running"] else "syncs only when asked to"
    yield f"Route {name}: {how}."
    if last is None:
        yield "  It has not run yet."
        return
    when = _when(last["started"])
    ends = {0: "all was done", 1: "something needs a person", 3: "the source or the target was out of reach"}
    end = "it has not ended" if last["exit"] is None else ends.get(last["exit"], "it could not be carried out")
    yield f"  Last run {last['run']} on {when}: {end}."
    if route["next_run"]:
        yield f"  Next run on {_when(route['next_run'])}."
    counts = [f"{route['counts'][state]:,} {word}" for state, word in _WORDS.items() if route["counts"].get(state)]
    if counts:
        yield f"  Documents: {', '.join(counts)}."
    if route["issues"]:
        yield f"  {plural(route['issues'], 'open issue')}: connector issues"


def _when(moment: str | None) -> str:
    """A moment of the JSON output in the computer's own time."""
    from datetime import datetime

    if not moment:
        return "?"
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d at %H:%M")


def _next(found: Mapping[str, Any]) -> str:
    """The next useful command."""
    routes = found["routes"]
    if not routes:
        return "connector demo"
    if any(route["issues"] for route in routes):
        return "connector issues"
    for route in routes:
        if route["last_run"] is None:
            return "connector check"
        for state in (State.HELD, State.REFUSED, State.UNREADABLE):
            if route["counts"][state]:
                return f"connector documents {route['route']} --state {state}"
    if not found["service"]["running"]:
        return f"connector sync {routes[0]['route']}" if len(routes) == 1 else "connector run"
    return "connector documents"


def _first_steps(session: Session) -> Iterator[str]:
    from connector_service.paths import Paths, shipped_config

    paths = Paths.locate(session.home)
    yield "No route is set up yet."
    yield "To see it at work with a sample shop: connector demo"
    yield f"To set it up: copy {shipped_config() / 'connector.example.toml'}"
    yield f"to {paths.settings_file}, change it, and run: connector check"
