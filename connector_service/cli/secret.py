"""``connector secret``: passwords and keys, in the vault."""

import sys
from typing import Annotated

import typer

from connector_service.cli.faults import DONE, wrong
from connector_service.cli.groups import ACTOR, RouteGroup, command, new_app
from connector_service.cli.session import session_of
from connector_service.domain.problems import NeedsUser
from connector_service.domain.status_codes import FaultCode

app: typer.Typer = new_app(
    RouteGroup, "Secrets of a route: passwords and keys. They are stored in the vault and never shown."
)

_Route = Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")]
_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The secret's name; `connector secret list ROUTE` shows them.")
]


@command(app, "set")
def set_secret(ctx: typer.Context, route: _Route, name: _Name) -> int:
    """Store a secret; its value is read from standard input, or asked for without being shown."""
    from connector_service.contract.journal import Event
    from connector_service.wiring.secrets import refuse_unknown

    session = session_of(ctx)
    with session.writing("a secret") as product:
        refuse_unknown(route, product.settings_of(route), name)
        value = _value(name)
        product.vault.set(route, name, value)
        product.store.record(Event("secret_set", route, ACTOR, key=name))
        variable = product.vault.overriding_variable(route, name)
        where = product.vault.describe()
    session.out.say(f'The secret "{name}" of route {route} is stored. {where}')
    if variable:
        session.out.note(f"The environment variable {variable} goes before it.")
    if session.as_json:
        session.out.document({"route": route, "name": name, "stored": True, "where": where, "overridden_by": variable})
    return DONE


def _value(name: str) -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        value = getpass(f"Value of {name} (it is not shown): ")
    else:
        try:
            value = sys.stdin.buffer.read().decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise wrong("The value on standard input is not text in UTF-8.") from None
    if not value:
        raise wrong(
            "The value is empty.", fix=f"Give it on standard input, such as: connector secret set ROUTE {name} < FILE"
        )
    return value


@command(app, "list")
def list_secrets(ctx: typer.Context, route: _Route) -> int:
    """List the secrets that a route has or could have; never a value."""
    from connector_service.wiring.secrets import listed

    session = session_of(ctx)
    with session.reading() as product:
        found = list(listed(route, product.settings_of(route), product.vault))
        where = product.vault.describe()
    if session.as_json:
        items = [
            {
                "name": one.name,
                "stored": one.stored,
                "required": one.required,
                "environment": one.variable,
                "help": one.help,
            }
            for one in found
        ]
        session.out.document({"items": items, "next": None, "where": where})
        return DONE
    if not found:
        session.out.say("The systems of this route ask for no secrets.")
    rows = (
        (
            one.name,
            f"from {one.variable}"
            if one.variable
            else "stored"
            if one.stored
            else "missing"
            if one.required
            else "not set",
            one.help,
        )
        for one in found
    )
    if found:
        session.out.table(("Name", "", "What it is"), rows)
    session.out.say(where)
    return DONE


@command(app, "remove")
def remove_secret(ctx: typer.Context, route: _Route, name: _Name) -> int:
    """Forget a stored secret."""
    from connector_service.contract.journal import Event

    session = session_of(ctx)
    with session.writing("a secret") as product:
        product.settings_of(route)
        removed = product.vault.remove(route, name)
        if removed:
            product.store.record(Event("secret_removed", route, ACTOR, key=name))
    if not removed:
        raise NeedsUser(
            f'The secret "{name}" of route {route} is not stored.',
            fix=f"See `connector secret list {route}`.",
            code=FaultCode.NOT_FOUND,
        )
    session.out.say(f'The secret "{name}" of route {route} is forgotten.')
    if session.as_json:
        session.out.document({"route": route, "name": name, "removed": True})
    return DONE
