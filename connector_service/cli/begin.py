"""``connector begin``: from which day on documents are booked."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_service.cli.faults import DONE, NEEDS_PERSON
from connector_service.cli.groups import ACTOR, command, new_app
from connector_service.cli.output import Out, plural
from connector_service.cli.session import asked, day, session_of
from connector_service.domain.kinds import Kind

if TYPE_CHECKING:
    from connector_service.app import App
    from connector_service.engine.begin_date import WouldMark

app: typer.Typer = new_app()


@command(app)
def begin(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")],
    first: Annotated[date, typer.Argument(parser=day, metavar="DATE", help="The first day that is booked.")],
    release: Annotated[
        bool, typer.Option("--release", help="Lead marked records dated on or after it back to waiting.")
    ] = False,
    mark_source: Annotated[
        bool, typer.Option("--mark-source", help="Mark the older records as exported at the source too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> int:
    """Set the begin date: records dated before it are marked and never sent. Shows first what that would mark."""
    session = session_of(ctx)
    out = session.out
    with session.writing(f"the begin date of route {route}") as app:
        found = app.would_mark(route, first, mark_source)
        marked = app.would_release(route, first)
        shown: dict[str, Any] = {"route": route, "begin": first.isoformat(), "would_mark": _json(found)}
        shown["would_release"] = marked if release else 0
        _say(out, app, route, first, found, mark_source)
        _say_marked(out, route, first, marked, release)
        verb = f"Mark {plural(found.count, 'record')} as exported" if found.count else f"Set the begin date to {first}"
        if not (yes or asked(session, f"{verb}?")):
            out.say("Nothing was changed. To do it without being asked, add --yes.")
            if session.as_json:
                out.document({**shown, "applied": False, "marked": 0, "released": 0, "marked_at_source": 0})
            return NEEDS_PERSON
        app.set(f"routes.{route}.sync.begin", first)
        done = app.set_begin(route, first, release, mark_source, ACTOR)
    out.say(
        f"The begin date of route {route} is {first}. {plural(done['marked'], 'record was', 'records were')} marked."
    )
    if release:
        out.say(f"{plural(done['released'], 'record')} released: they go out with the next run.")
    if mark_source:
        out.say(f"{plural(done['marked_at_source'], 'record')} marked at the source.")
    if session.as_json:
        out.document({**shown, "applied": True, **done})
    return DONE


def _say(out: Out, app: "App", route: str, first: date, found: "WouldMark", mark_source: bool) -> None:
    from connector_service.domain.messages import KIND_WORDS

    old = app.settings_of(route).sync.begin
    if old == first:
        out.say(f"The begin date of route {route} is {first} already.")
    else:
        out.say(f"The begin date of route {route} is {old or 'not set'}, and would be {first}.")
    if not found.count:
        out.say("No record would be marked.")
    else:
        out.say(f"{plural(found.count, 'record')} dated before it would be marked, and never sent:")
        for kind, count in found.counts.items():
            out.say(f"  {plural(count, *KIND_WORDS[kind])}: {', '.join(_amounts(kind, found))}")
    if mark_source:
        out.say("Records dated before it would be marked as exported at the source too.")


def _say_marked(out: Out, route: str, first: date, marked: int, release: bool) -> None:
    if marked and release:
        out.say(f"{plural(marked, 'marked record')} dated on or after it would go back to waiting, and be sent.")
    elif marked:
        out.say(
            f"{plural(marked, 'record')} dated on or after it {'was' if marked == 1 else 'were'} marked for an earlier "
            f"begin date, and would stay so. To book them: connector begin {route} {first} --release"
        )


def _amounts(kind: Kind, found: "WouldMark") -> list[str]:
    from connector_service.domain.messages import duration
    from connector_service.domain.money import from_minor

    return [
        f"{currency} {from_minor(minor, currency):,}" if currency else duration(minor)
        for currency, minor in sorted(found.totals[kind].items())
    ]


def _json(found: "WouldMark") -> dict[str, Any]:
    from connector_service.domain.money import from_minor

    kinds = {
        kind.value: {
            "count": count,
            "totals": {
                currency or "minutes": str(from_minor(minor, currency)) if currency else str(minor)
                for currency, minor in found.totals[kind].items()
            },
        }
        for kind, count in found.counts.items()
    }
    return {"count": found.count, "kinds": kinds}
