"""``connector check``: settings, reachability and rights of every route."""

from typing import Annotated

import typer

from connector_service.cli.faults import status_of, worst_of
from connector_service.cli.groups import command, new_app
from connector_service.cli.output import fault_json
from connector_service.cli.session import session_of

app: typer.Typer = new_app()


@command(app)
def check(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="[ROUTE]", help="Only this route.")] = "",
) -> int:
    """Check the settings, and reach both sides of every route with every right that it needs; nothing is changed."""
    session = session_of(ctx)
    statuses: list[int] = []
    shown = []
    with session.reading() as app:
        names = [route] if route else list(app.loaded.settings.routes)
        for notice in app.loaded.notices:
            session.out.note(notice)
        for name in names:
            company, faults = app.check(name)
            shown.append(
                {
                    "route": name,
                    "ok": not faults,
                    "company": {"id": company.id, "name": company.name, "currency": company.currency or None}
                    if company
                    else None,
                    "faults": [fault_json(fault) for fault in faults],
                }
            )
            session.out.say(f"Route {name}: {'all is well' if not faults else 'does not work yet'}.")
            if company:
                session.out.say(f"  Company: {company.name}.")
            for fault in faults:
                session.out.say(f"  - {fault.what}")
                for part in (fault.why, fault.fix):
                    if part:
                        session.out.say(f"    {part}")
            statuses += map(status_of, faults)
        settings = str(app.paths.settings_file)
        if not names:
            session.out.say(f"No route is set up in {settings}.")
        if session.as_json:
            notices = list(app.loaded.notices)
            session.out.document({"settings": {"file": settings, "notices": notices}, "routes": shown})
    return worst_of(statuses)
