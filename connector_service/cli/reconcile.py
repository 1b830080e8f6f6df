"""``connector reconcile``: source against books, document by document, to the cent."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_service.cli.faults import DONE, NEEDS_PERSON
from connector_service.cli.groups import command, new_app
from connector_service.cli.output import Out, plural
from connector_service.cli.session import day, session_of

if TYPE_CHECKING:
    from connector_service.engine.reconcile import Reconciliation, Row

app: typer.Typer = new_app()

_WORDS = {
    "missing": "missing in the books",
    "extra": "in the books and not at the source",
    "twice": "in the books more than once",
    "total": "other total",
    "tax": "other tax",
    "date": "other date",
    "number": "other number",
    "not_exported": "not exported",
}
# The findings whose value of a side is an amount; else it is a number, a date or a list of ids.
_SOURCE_AMOUNT = frozenset({"missing", "twice", "total", "tax", "not_exported"})
_BOOKS_AMOUNT = frozenset({"extra", "total", "tax"})


@command(app)
def reconcile(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")],
    first: Annotated[date, typer.Option("--from", parser=day, metavar="DATE", help="The first day.")],
    last: Annotated[date, typer.Option("--to", parser=day, metavar="DATE", help="The last day.")],
) -> int:
    """Compare what the source has in a period with what stands in the books; nothing is changed."""
    session = session_of(ctx)
    if first > last:
        raise typer.BadParameter(f"The first day ({first}) is after the last ({last}).")
    with session.reading() as product:
        found = product.reconcile(route, first, last)
    if session.as_json:
        head = {"route": route, "from": first.isoformat(), "to": last.isoformat(), "agrees": found.agrees}
        head |= {"compared": found.compared, "equal": found.equal, "before_begin": found.before_begin}
        head |= {"by_others": found.by_others}
        rows = (_row_json(row) for row in found.rows)
        session.out.streamed(head | {"totals": _totals(found)}, "differences", rows, {})
    else:
        _say(session.out, route, found)
    return DONE if found.agrees else NEEDS_PERSON


def _row_json(row: "Row") -> dict[str, Any]:
    return {
        "finding": row.finding.value,
        "kind": row.kind.value,
        "key": row.key or None,
        "number": row.number,
        "date": row.date.isoformat() if row.date else None,
        "source": row.source or None,
        "books": row.books or None,
        "state": row.state or None,
        "remote_id": row.remote_id or None,
    }


def _totals(found: "Reconciliation") -> dict[str, Any]:
    from connector_service.domain.money import is_currency, money_text

    totals: dict[str, Any] = {}
    for side, sums in (("source", found.source_totals), ("books", found.books_totals)):
        for kind, units in sums.items():
            for unit, amount in units.items():
                text = money_text(amount, unit) if is_currency(unit) else format(amount, "f")
                entry = totals.setdefault(kind, {}).setdefault(unit, {"source": None, "books": None})
                entry[side] = text
    return totals


def _amount(text: str) -> str:
    return f"{Decimal(text):,f}" if text else ""


def _say(out: Out, route: str, found: "Reconciliation") -> None:
    from connector_service.domain.messages import KIND_WORDS

    out.say(f"{plural(found.compared, 'document')} compared, {found.equal:,} the same on both sides.")
    if found.before_begin:
        out.say(f"{plural(found.before_begin, 'record')} marked or ignored: not compared.")
    if found.by_others:
        out.say(f"{plural(found.by_others, 'document')} in the books came by another route: not compared.")
    rows = (
        (KIND_WORDS[kind][1], unit, *(_amount(sides[side] or "0") for side in ("source", "books")))
        for kind, units in _totals(found).items()
        for unit, sides in units.items()
    )
    out.table(("Kind", "", "Source", "Books"), rows, right=(2, 3))
    if found.agrees:
        out.say("The books equal the source.")
        return
    out.say()
    out.say(f"{plural(len(found.rows), 'difference')}:")
    cells = (
        (
            _WORDS[row.finding.value],
            KIND_WORDS[row.kind][0],
            row.number or row.key,
            row.date.isoformat() if row.date else "",
            _amount(row.source) if row.finding in _SOURCE_AMOUNT else row.source,
            _amount(row.books) if row.finding in _BOOKS_AMOUNT else row.books,
            row.state.replace("_", " "),
        )
        for row in found.rows
    )
    out.table(("What", "Kind", "Number", "Date", "Source", "Books", "State"), cells, right=(4, 5))
    out.say(f"See a document: connector documents {route} --search NUMBER")
