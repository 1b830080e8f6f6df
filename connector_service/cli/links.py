"""``connector links``: which source key is which id in the target."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_service.cli.faults import DONE, not_read, not_written, wrong
from connector_service.cli.groups import ACTOR, ListGroup, command, new_app
from connector_service.cli.output import plural
from connector_service.cli.session import session_of
from connector_service.domain.problems import NeedsUser
from connector_service.domain.reference import LinkKind
from connector_service.domain.status_codes import FaultCode

if TYPE_CHECKING:
    from connector_service.app import App
    from connector_service.domain.reference import Link

app: typer.Typer = new_app(ListGroup, "Links between the keys of the source and the ids of the target.")

_Route = Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")]
_Kind = Annotated[LinkKind, typer.Argument(metavar="KIND", help="What is linked.")]
_Key = Annotated[str, typer.Argument(metavar="SOURCE_KEY", help="The key at the source.")]


@command(app, "list")
def list_links(
    ctx: typer.Context,
    route: _Route,
    kind: Annotated[list[LinkKind], typer.Option(help="Only this kind; may be given again.")] = [],  # noqa: B006
    after: Annotated[int, typer.Option(metavar="CURSOR", help="Go on after so many.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> int:
    """List the links of a route."""
    session = session_of(ctx)
    with session.reading() as product:
        found = [link for link in _links(product, route) if not kind or link.kind in kind]
    page = found[after : after + limit]
    following = after + limit if len(found) > after + limit else None
    if session.as_json:
        session.out.listed([_json(link) for link in page], following)
        return DONE
    if not page:
        session.out.say(f"No link is here. Set one: connector links set {route} KIND SOURCE_KEY TARGET_ID")
        return DONE
    heads = ("Kind", "Source key", "Source name", "Target id", "Target name", "Set by")
    rows = (
        (link.kind.value, link.source_key, link.source_name, link.target_id, link.target_name, _by(link))
        for link in page
    )
    session.out.table(heads, rows)
    if following is not None:
        session.out.say(f"\nMore: the same command with --after {following}")
    return DONE


def _links(product: "App", route: str) -> "list[Link]":
    state = product.remembered(route)
    found = product.store.links(state.pair) if state else {}
    return [found[at] for at in sorted(found)]


def _by(link: "Link") -> str:
    return "a person" if link.by_person else "the same name"


def _json(link: "Link") -> dict[str, Any]:
    return {
        "kind": link.kind.value,
        "source_key": link.source_key,
        "target_id": link.target_id,
        "source_name": link.source_name,
        "target_name": link.target_name,
        "by_person": link.by_person,
    }


@command(app, "set")
def set_link(
    ctx: typer.Context,
    route: _Route,
    kind: _Kind,
    source_key: _Key,
    target_id: Annotated[str, typer.Argument(metavar="TARGET_ID", help="The id in the target.")],
    source_name: Annotated[str, typer.Option(help="Its name at the source, for people.")] = "",
    target_name: Annotated[str, typer.Option(help="Its name in the target, for people.")] = "",
) -> int:
    """Link a key of the source to an id of the target; what waited for it goes out with the next run."""
    from connector_service.domain.reference import Link

    if not source_key.strip() or not target_id.strip():
        raise wrong("The key and the id must not be empty.")
    session = session_of(ctx)
    link = Link(kind, source_key, target_id.strip(), source_name, target_name, by_person=True)
    with session.writing("a link") as product:
        product.store.save_links(product.context(route, ACTOR), [link])
    session.out.say(f"Linked: {kind} {source_key} is {link.target_id}.")
    if session.as_json:
        session.out.document(_json(link))
    return DONE


@command(app, "remove")
def remove_link(ctx: typer.Context, route: _Route, kind: _Kind, source_key: _Key) -> int:
    """Forget a link."""
    session = session_of(ctx)
    with session.writing("a link") as product:
        state = product.remembered(route)
        removed = state is not None and product.store.link_table.remove_link(
            product.context(route, ACTOR), kind, source_key
        )
    if not removed:
        raise NeedsUser(
            f"There is no link for {kind} {source_key}.",
            fix=f"See `connector links {route}`.",
            code=FaultCode.NOT_FOUND,
        )
    session.out.say(f"Removed: {kind} {source_key} is not linked any more.")
    if session.as_json:
        session.out.document({"kind": kind.value, "source_key": source_key, "removed": True})
    return DONE


@command(app, "import")
def import_links(
    ctx: typer.Context,
    route: _Route,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A CSV file in UTF-8 with a header; - is standard input.")
    ],
) -> int:
    """Take links from a CSV file: all of them, or none where a line does not fit."""
    from connector_service.wiring.links import read_links

    session = session_of(ctx)
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as fault:
        raise not_read(file, fault) from fault
    links = read_links(data, "standard input" if file == "-" else file)
    with session.writing("an import of links") as product:
        context = product.context(route, ACTOR)
        known = product.store.links(context.pair)
        changed = [link for link in links if known.get((link.kind, link.source_key)) != link]
        product.store.save_links(context, changed)
    session.out.say(f"{plural(len(links), 'link')} read, {len(changed):,} of them new or changed.")
    if session.as_json:
        session.out.document({"route": route, "read": len(links), "changed": len(changed)})
    return DONE


@command(app, "export")
def export_links(
    ctx: typer.Context,
    route: _Route,
    file: Annotated[str, typer.Argument(help="The CSV file to write; else standard output.")] = "",
) -> int:
    """Write the links of a route as a CSV file that can be imported."""
    from connector_service.wiring.links import write_links

    session = session_of(ctx)
    with session.reading() as product:
        links = _links(product, route)
    text = "".join(write_links(links))
    if file:
        try:
            Path(file).write_text(text, encoding="utf-8", newline="")
        except OSError as fault:
            raise not_written(file, fault) from fault
        session.out.say(f"{plural(len(links), 'link')} written to {file}.")
    if session.as_json:
        more = {"file": file} if file else {"csv": text}
        session.out.document({"route": route, "count": len(links), **more})
    elif not file:
        session.out.raw(text)
    return DONE
