"""``connector reference``: the target's own lists."""

from typing import Annotated, Any

import typer

from connector_service.cli.faults import DONE
from connector_service.cli.groups import RouteGroup, command, new_app
from connector_service.cli.output import plural
from connector_service.cli.session import session_of
from connector_service.domain.reference import ReferenceKind, ReferenceRecord

app: typer.Typer = new_app(RouteGroup, "The target's own lists: accounts, tax codes, customers and so on.")

_Route = Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")]


@command(app, "sync")
def sync_reference(
    ctx: typer.Context,
    route: _Route,
    kinds: Annotated[list[ReferenceKind], typer.Argument(metavar="KIND...", help="Only these lists.")] = [],  # noqa: B006
) -> int:
    """Pull lists of the target into the store."""
    session = session_of(ctx)
    with session.writing(f"pulling lists of route {route}") as product:
        came = product.pull(route, kinds)
    for kind, count in came.items():
        session.out.say(f"{kind.replace('_', ' ')}: {plural(count, 'record')} came.")
    if session.as_json:
        lists = [{"kind": kind.value, "records": count} for kind, count in came.items()]
        session.out.document({"route": route, "lists": lists})
    return DONE


@command(app, "show")
def show_reference(
    ctx: typer.Context,
    route: _Route,
    kind: Annotated[ReferenceKind, typer.Argument(metavar="KIND", help="The list.")],
    after: Annotated[int, typer.Option(metavar="CURSOR", help="Go on after so many.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> int:
    """Show a list as it was last pulled."""
    from connector_service.engine.reference import lists_to_pull

    session = session_of(ctx)
    with session.reading() as product:
        manifest = product.loaded.systems.target(product.settings_of(route).target.system)
        lists_to_pull(manifest, [kind])
        state = product.remembered(route)
        pulled = product.store.reference_pulled(state.company, kind) if state else None
        found = product.store.reference(state.company, kind) if state else []
    page = found[after : after + limit]
    following = after + limit if len(found) > after + limit else None
    if session.as_json:
        session.out.listed([_json(record) for record in page], following)
        return DONE
    if pulled is None:
        session.out.say(f"This list has not been pulled yet: connector reference sync {route} {kind}")
        return DONE
    session.out.say(f"Pulled {pulled:%Y-%m-%d %H:%M} UTC, {plural(len(found), 'record')}.")
    rows = ((record.code, record.name, record.id, "" if record.active else "not active") for record in page)
    session.out.table(("Code", "Name", "Id", ""), rows)
    if following is not None:
        session.out.say(f"\nMore: the same command with --after {following}")
    return DONE


def _json(record: ReferenceRecord) -> dict[str, Any]:
    return {
        "kind": record.kind.value,
        "id": record.id,
        "code": record.code,
        "name": record.name,
        "active": record.active,
        "details": record.details,
    }
