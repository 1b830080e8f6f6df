"""``connector start`` and ``connector stop``: automatic sync of a route."""

from typing import Annotated

import typer

from connector_service.cli.faults import DONE, wrong
from connector_service.cli.groups import ACTOR, command, new_app
from connector_service.cli.session import Session, session_of

start: typer.Typer = new_app()
stop: typer.Typer = new_app()


@command(start)
def start_route(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every route.")] = False,
) -> int:
    """Let a route sync by itself again."""
    return _set(session_of(ctx), route, every, stopped=False)


@command(stop)
def stop_route(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every route.")] = False,
) -> int:
    """Stop the automatic sync of a route; it holds over restarts, and a sync by hand stays possible."""
    return _set(session_of(ctx), route, every, stopped=True)


def _set(session: Session, route: str, every: bool, *, stopped: bool) -> int:
    if bool(route) == every:
        raise wrong("Name one route, or all of them with --all.")
    with session.writing("a change of automatic sync") as app:
        names = list(app.loaded.settings.routes) if every else [route]
        for name in names:
            app.set_stopped(name, stopped, ACTOR)
            mode = app.settings_of(name).sync.mode
            if stopped:
                session.out.say(f"Route {name} does not sync by itself any more. By hand: connector sync {name}")
            elif mode == "auto":
                session.out.say(f"Route {name} syncs by itself again while the service runs.")
            else:
                session.out.say(f'Route {name} is started, but its mode is "{mode}": it syncs only when asked to.')
        if session.as_json:
            states = {one["route"]: one for one in app.status()["routes"]}
            session.out.document({"routes": [states[name] for name in names]})
    return DONE
