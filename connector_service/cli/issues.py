"""``connector issues``: open problems that need a person."""

from typing import Annotated

import typer

from connector_service.cli.faults import DONE
from connector_service.cli.groups import ACTOR, ListGroup, command, new_app
from connector_service.cli.output import plural
from connector_service.cli.session import session_of
from connector_service.domain.moments import moment_text
from connector_service.domain.problems import NeedsUser
from connector_service.domain.status_codes import FaultCode

app: typer.Typer = new_app(ListGroup, "Open problems that need a person.")


@command(app, "list")
def list_issues(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="[ROUTE]", help="Only this route.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Those that are closed too.")] = False,
    after: Annotated[int, typer.Option(metavar="CURSOR", help="Go on after this issue.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> int:
    """List the issues, the oldest first."""
    from connector_service.cli.sync import say_issues
    from connector_service.engine.report import issue_json

    session = session_of(ctx)
    with session.reading() as product:
        if route:
            product.settings_of(route)
        rows = [one for one in product.store.issues(route or None, every) if one.id > after]
        page = rows[:limit]
        following = page[-1].id if len(rows) > limit else None
        if session.as_json:
            session.out.listed([issue_json(row) for row in page], following)
            return DONE
    if not page:
        session.out.say("There is no open issue. Problems that need a person will stand here.")
    say_issues(session.out, page)
    if following is not None:
        session.out.say(f"\nMore: connector issues --after {following}")
    return DONE


@command(app, "show")
def show_issue(ctx: typer.Context, number: Annotated[int, typer.Argument(metavar="ID", help="The issue.")]) -> int:
    """Show one issue."""
    from connector_service.cli.sync import say_issues
    from connector_service.engine.report import issue_json

    session = session_of(ctx)
    with session.reading() as product:
        row = product.store.runs.issue(number)
    if row is None:
        raise NeedsUser(f"There is no issue {number}.", fix="See `connector issues`.", code=FaultCode.NOT_FOUND)
    closed = moment_text(row.closed) if row.closed else None
    if session.as_json:
        session.out.document(issue_json(row) | {"closed": closed})
    else:
        say_issues(session.out, [row])
        session.out.say(f"  Opened {row.opened:%Y-%m-%d %H:%M} UTC, seen {plural(row.count, 'time')}.")
        if closed:
            session.out.say(f"  Closed {row.closed:%Y-%m-%d %H:%M} UTC.")
        elif row.confirmable:
            session.out.say(f"  If it is right: connector issues confirm {row.id}")
    return DONE


@command(app, "confirm")
def confirm_issue(ctx: typer.Context, number: Annotated[int, typer.Argument(metavar="ID", help="The issue.")]) -> int:
    """Say that what an issue asks about is right, so that the next run goes on."""
    from connector_service.engine.report import issue_json

    session = session_of(ctx)
    with session.writing("a confirmation") as product:
        row = product.confirm(number, ACTOR)
    if session.as_json:
        session.out.document(issue_json(row) | {"confirmed": True})
    session.out.say(f"Confirmed: {row.what}")
    session.out.say(f"Go on with: connector sync {row.route or 'ROUTE'}")
    return DONE
