"""``connector run``: the service, in the foreground."""

import typer

from connector_service.cli.faults import DONE, INTERRUPTED
from connector_service.cli.groups import command, new_app
from connector_service.cli.session import session_of

app: typer.Typer = new_app()


@command(app)
def run(ctx: typer.Context) -> int:
    """Run the service here until it is stopped: every route with mode auto syncs at its interval."""
    from connector_service.hosts.foreground import Foreground
    from connector_service.wiring.state import SERVICE

    session = session_of(ctx)
    with session.writing(SERVICE) as product:
        host = Foreground(product, session.out.note)
        how = host.run()
    if session.as_json:
        session.out.document({"stopped": how, "runs": host.runs})
    return INTERRUPTED if how == "interrupted" else DONE
