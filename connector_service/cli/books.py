"""``connector books``: the embedded books of a route."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from connector_service.cli.faults import DONE, not_written
from connector_service.cli.groups import RouteGroup, command, new_app
from connector_service.cli.output import plural
from connector_service.cli.session import session_of

app: typer.Typer = new_app(RouteGroup, "The embedded books: balances, and the books in the form of hledger.")

_Route = Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")]


@command(app, "balances")
def balances(ctx: typer.Context, route: _Route) -> int:
    """Show what every account stands at; debit is positive."""
    session = session_of(ctx)
    with session.reading() as product, product.books(route) as books:
        found = list(books.balances())
    if session.as_json:
        items = [{"account": account, "currency": unit, "balance": format(sum_, "f")} for account, unit, sum_ in found]
        session.out.listed(items, None)
        return DONE
    rows = ((account, unit, f"{sum_:,}") for account, unit, sum_ in found)
    session.out.table(("Account", "", "Balance"), rows, right=(2,))
    return DONE


@command(app, "export")
def export(
    ctx: typer.Context,
    route: _Route,
    file: Annotated[str, typer.Argument(help="The file to write; else standard output.")] = "",
) -> int:
    """Write the books in hledger's form."""
    session = session_of(ctx)
    with session.reading() as product, product.books(route) as books:
        if file:
            try:
                with Path(file).open("w", encoding="utf-8", newline="\n") as stream:
                    count = books.export(stream)
            except OSError as fault:
                raise not_written(file, fault) from fault
            session.out.say(f"{plural(count, 'transaction')} written to {file}.")
            if session.as_json:
                session.out.document({"route": route, "transactions": count, "file": file})
        elif session.as_json:
            text = io.StringIO()
            count = books.export(text)
            session.out.document({"route": route, "transactions": count, "text": text.getvalue()})
        else:
            # Whoever reads it expects UTF-8, whatever the console speaks.
            stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n")
            try:
                books.export(stream)
                stream.flush()
            finally:
                stream.detach()
    return DONE
