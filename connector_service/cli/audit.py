"""``connector audit``: who changed what, when, and whether the trail is whole."""

import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_service.cli.faults import DONE, NEEDS_PERSON, not_written, wrong
from connector_service.cli.groups import ShowGroup, command, new_app
from connector_service.cli.output import Out, plural
from connector_service.cli.session import day, session_of

if TYPE_CHECKING:
    from connector_service.wiring.trail import Filter

app: typer.Typer = new_app(ShowGroup, "The audit trail: who changed what, when, and proof that nobody touched it.")

_Text = Annotated[str, typer.Option(help="Only this one.")]
_From = Annotated[date | None, typer.Option("--from", parser=day, metavar="DATE", help="From this day on (UTC).")]
_To = Annotated[date | None, typer.Option("--to", parser=day, metavar="DATE", help="Up to this day (UTC).")]


@command(app, "show")
def show(
    ctx: typer.Context,
    route: _Text = "",
    kind: _Text = "",
    key: _Text = "",
    number: _Text = "",
    event: _Text = "",
    actor: _Text = "",
    first: _From = None,
    last: _To = None,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Begin with the oldest.")] = False,
    after: Annotated[int, typer.Option(metavar="CURSOR", help="Go on after this line.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> int:
    """Show the trail, the newest first."""
    from dataclasses import replace

    from connector_service.wiring.trail import line_json, lines

    session = session_of(ctx)
    where = _where(route, kind, key, number, event, actor, first, last)
    if after:
        where = replace(where, after=after) if oldest_first else replace(where, before=after)
    with session.reading() as product:
        found = list(lines(product.paths.audit_dir, where, newest_first=not oldest_first, limit=limit + 1))
    page = [line_json(line) for line in found[:limit]]
    following = page[-1]["sequence"] if len(found) > limit else None
    if session.as_json:
        session.out.listed(page, following)
        return DONE
    _say(session.out, page)
    if following is not None:
        session.out.say(f"\nMore: the same command with --after {following}")
    return DONE


def _where(
    route: str, kind: str, key: str, number: str, event: str, actor: str, first: date | None, last: date | None
) -> "Filter":
    from connector_service.wiring.trail import Filter

    return Filter(
        route,
        kind,
        key,
        number,
        event,
        actor,
        since=datetime.combine(first, time(), UTC) if first else None,
        until=datetime.combine(last + timedelta(days=1), time(), UTC) if last and last != date.max else None,
    )


def _say(out: Out, page: list[dict[str, Any]]) -> None:
    if not page:
        out.say("No line of the audit trail fits. Every change will stand here.")
        return
    heads = ("Line", "Time (UTC)", "Actor", "Route", "Event", "Document", "Change", "Amount", "Id in the books")
    rows = (
        (
            str(line["sequence"] or "?"),
            (line["time"] or "")[:19].replace("T", " "),
            line["actor"] or "",
            line["route"] or "",
            line["event"] or "",
            f"{line['kind'].replace('_', ' ')} {line['number'] or line['key'] or ''}".rstrip() if line["kind"] else "",
            f"{line['before'] or 'new'} to {line['after']}" if line["after"] else _details(line),
            f"{line['currency'] or ''} {Decimal(line['amount']):,f}".strip() if line["amount"] else "",
            line["remote_id"] or "",
        )
        for line in page
    )
    out.table(heads, rows, right=(0,), loose=(5, 6))


def _details(line: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in (line["details"] or {}).items() if name != "key_id")


@command(app, "verify")
def verify(ctx: typer.Context) -> int:
    """Prove that no line was changed, removed, moved or cut off; names the first that was."""
    from connector_service.wiring.trail import verdict_json

    session = session_of(ctx)
    with session.reading() as product:
        found = product.verify_audit()
    if session.as_json:
        session.out.document(verdict_json(found))
    for part in (found.title, found.why, found.fix):
        if part:
            session.out.say(part)
    return DONE if found.ok else NEEDS_PERSON


@command(app, "export")
def export(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="The CSV file to write; else standard output.")] = "",
    route: _Text = "",
    kind: _Text = "",
    key: _Text = "",
    number: _Text = "",
    event: _Text = "",
    actor: _Text = "",
    first: _From = None,
    last: _To = None,
) -> int:
    """Write the trail as CSV for a spreadsheet program, the oldest line first; no cell can act as a formula."""
    from connector_service.wiring.trail import export as write

    session = session_of(ctx)
    where = _where(route, kind, key, number, event, actor, first, last)
    if session.as_json and not file:
        raise wrong("With --json the export needs a file.", fix="Write: connector audit export FILE --json")
    with session.reading() as product:
        folder = product.paths.audit_dir
        if not file:
            write(folder, where, sys.stdout.buffer)
            return DONE
        try:
            with Path(file).open("wb") as stream:
                count = write(folder, where, stream)
        except OSError as fault:
            raise not_written(file, fault) from fault
    session.out.say(f"{plural(count, 'line')} written to {file}.")
    if session.as_json:
        session.out.document({"file": file, "lines": count})
    return DONE
