"""``connector documents``: what happened to each document, and what a person does to one."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from connector_service.cli.faults import DONE, NEEDS_PERSON, wrong
from connector_service.cli.groups import ACTOR, ListGroup, command, new_app
from connector_service.cli.output import Out, plural
from connector_service.cli.session import Session, asked, day, session_of
from connector_service.domain.kinds import BOOKED_STATES, Kind, State
from connector_service.domain.problems import Conflict
from connector_service.domain.status_codes import FaultCode, OutcomeCode, StatusCode

if TYPE_CHECKING:
    from connector_service.app import App, DocumentRow

app: typer.Typer = new_app(ListGroup, "Documents and their states; retry, ignore, mark, settle and undo them.")

_Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="Documents, by their numbers in the list.")]
_Id = Annotated[int, typer.Argument(metavar="ID", help="The document, by its number in the list.")]


@command(app, "list")
def list_documents(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="[ROUTE]", help="Only this route.")] = "",
    state: Annotated[list[State], typer.Option(help="Only in this state; may be given again.")] = [],  # noqa: B006
    code: Annotated[list[str], typer.Option(help="Only with this status code; may be given again.")] = [],  # noqa: B006
    kind: Annotated[list[Kind], typer.Option(help="Only this kind; may be given again.")] = [],  # noqa: B006
    first: Annotated[
        date | None, typer.Option("--from", parser=day, metavar="DATE", help="Only dated on or after it.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=day, metavar="DATE", help="Only dated on or before it.")
    ] = None,
    run: Annotated[int, typer.Option(metavar="RUN", help="Only what this run touched.")] = 0,
    text: Annotated[str, typer.Option("--search", help="Only where number, key or party holds this.")] = "",
    after: Annotated[int, typer.Option(metavar="CURSOR", help="Go on after this document.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> int:
    """List documents, page by page."""
    from connector_service.app import Filter
    from connector_service.engine.report import document_json

    session = session_of(ctx)
    known = {*StatusCode, *OutcomeCode}
    for one in code:
        if one not in known:
            raise wrong(f'There is no status code "{one}".', why=f"Known are: {', '.join(sorted(known))}.")
    wanted = Filter(
        states=tuple(state), codes=tuple(code), kinds=tuple(kind), run=run or None, text=text, first=first, last=last
    )
    with session.reading() as product:
        if route:
            product.settings_of(route)
        rows, following = product.documents(route or None, wanted, after, limit)
        if session.as_json:
            session.out.listed([document_json(row) for row in rows], following)
            return DONE
    if not rows and (wanted != Filter() or route or after):
        session.out.say("No document fits. All of them: connector documents")
        return DONE
    _table(session.out, rows)
    if following is not None:
        session.out.say(f"\nMore: the same command with --after {following}")
    return DONE


def _table(out: Out, rows: "list[DocumentRow]") -> None:
    from connector_service.cli.causes import amount
    from connector_service.domain.messages import KIND_WORDS

    if not rows:
        out.say("No document is here. They appear once a route has been synced: connector sync ROUTE")
        return
    heads = ("Id", "State", "Kind", "Number", "Date", "Party", "Amount", "Code")
    cells = (
        (
            str(row.id),
            str(row.state).replace("_", " "),
            KIND_WORDS[row.kind][0],
            row.number or row.key,
            row.date.isoformat() if row.date else "",
            row.party,
            amount(row),
            row.status_code,
        )
        for row in rows
    )
    out.table(heads, cells, right=(0, 6), loose=(5,))


@command(app, "show")
def show_document(ctx: typer.Context, number: _Id) -> int:
    """Show a document: its content, what stands in its way, and its history."""
    session = session_of(ctx)
    with session.reading() as product:
        row = product.document(number)
        content = product.store.content([number]).get(number)
        route = product.context_of(row, ACTOR).route
        history = _history(product, row)
    from connector_service.engine.report import document_json

    if session.as_json:
        shown = {"route": route or None, "content": _plain(content), "history": history}
        session.out.document(document_json(row) | shown)
        return DONE
    _say_document(session.out, row, route, _plain(content), history)
    return DONE


def _plain(content: object) -> dict[str, Any] | None:
    if content is None:
        return None
    import msgspec

    shown: dict[str, Any] = msgspec.to_builtins(content)
    return {name: value for name, value in shown.items() if value not in (None, "", [], ())}


def _history(product: "App", row: "DocumentRow") -> list[dict[str, Any]]:
    """Its last events in the audit trail, the oldest first."""
    from connector_service.wiring.trail import Filter, line_json, lines

    found = lines(product.paths.audit_dir, Filter(kind=row.kind, key=row.key), newest_first=True, limit=20)
    names = ("time", "actor", "route", "run", "event", "before", "after", "amount", "currency", "remote_id", "details")
    return [{name: value for name, value in line_json(line).items() if name in names} for line in found][::-1]


def _say_document(
    out: Out, row: "DocumentRow", route: str, content: dict[str, Any] | None, history: list[dict[str, Any]]
) -> None:
    from connector_service.cli.causes import command_for, label

    out.say(f"{label(row)[:1].upper()}{label(row)[1:]}: {str(row.state).replace('_', ' ')}.")
    if row.remote_id and row.state in BOOKED_STATES:
        out.say(f"In the books as {row.remote_id}.")
    elif row.remote_id:
        out.say(f"It was in the books as {row.remote_id}.")
    for found in row.problems:
        out.say()
        out.say(f"{found.what} ({found.code})")
        for part in (found.why, found.fix):
            if part:
                out.say(f"  {part}")
        press = command_for(found, route or "ROUTE", row)
        if press:
            out.say(f"  Press: {press}")
    if content:
        out.say()
        _say_content(out, content)
    out.say()
    for event in history:
        way = f"{event['before'] or 'new'} to {event['after']}" if event["after"] else event["event"]
        out.say(f"  {event['time'][:16].replace('T', ' ')} UTC  {way}, by {event['actor']}")


_MONEY: Final = frozenset({"total", "tax_total", "discount", "freight", "rounding", "amount", "tax_amount"})
_SAID: Final = {"exported": "marked as exported at the source", "sent": "sent to the customer"}


def _say_content(out: Out, content: dict[str, Any]) -> None:
    currency = content.get("currency", "")
    for name, value in content.items():
        if name not in ("lines", "attachments") and not _is_nothing(value):
            out.say(f"  {_SAID.get(name, name.replace('_', ' '))}: {_in_words(name, value, currency)}")
    for file in content.get("attachments", ()):
        out.say(f"  attachment: {file['name']}, in {file['location']}")
    for line in content.get("lines", ()):
        rest = {name: value for name, value in line.items() if name not in ("number", "description")}
        parts = [
            f"{name.replace('_', ' ')} {_in_words(name, value, currency)}"
            for name, value in rest.items()
            if not _is_nothing(value)
        ]
        text = _in_words("description", line.get("description") or "no text", currency)
        out.say(f"  line {line.get('number', '')}: {text}; {', '.join(parts)}")


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value in ("", "0"))


def _in_words(name: str, value: object, currency: str) -> str:
    """A value of a document for people; what takes several lines is set in."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if name in _MONEY and currency:
        from connector_service.domain.money import has_minor_units, round_money

        amount = Decimal(text)
        return f"{round_money(amount, currency) if has_minor_units(amount, currency) else amount:,}"
    return text.replace("T", " ") if name == "changed_at" else text.replace("\n", "\n    ")


# -- what a person does -----------------------------------------------------------------------------------------------


def _act(session: Session, numbers: list[int], action: str, done: str, remote_id: str | None = None) -> int:
    from connector_service.engine.report import document_json

    with session.writing(f"the action {action}") as product:
        rows = [product.act(number, action, ACTOR, remote_id) for number in numbers]
    for row in rows:
        state = str(row.state).replace("_", " ")
        session.out.say(f"Document {row.id} {done}." + ("" if state in done else f" It is now {state}."))
    if session.as_json:
        shown = [document_json(row) for row in rows]
        if len(shown) == 1:
            session.out.document(shown[0])
        else:
            session.out.listed(shown, None)
    return DONE


@command(app, "retry")
def retry(ctx: typer.Context, numbers: _Ids) -> int:
    """Lead documents back to waiting: they are checked and sent with the next run."""
    return _act(session_of(ctx), numbers, "retry", "is tried again")


@command(app, "ignore")
def ignore(ctx: typer.Context, numbers: _Ids) -> int:
    """Leave documents out: they are never sent, unless they are retried."""
    return _act(session_of(ctx), numbers, "ignore", "is left out")


@command(app, "mark")
def mark(ctx: typer.Context, numbers: _Ids) -> int:
    """Mark documents as exported already, by hand or by another program."""
    return _act(session_of(ctx), numbers, "mark", "is marked as exported")


@command(app, "mark-sent")
def mark_sent(ctx: typer.Context, numbers: _Ids) -> int:
    """Say that sales documents went out to the customer."""
    return _act(session_of(ctx), numbers, "mark-sent", "counts as sent")


@command(app, "accept")
def accept(ctx: typer.Context, numbers: _Ids) -> int:
    """Keep what is booked although the source has changed."""
    return _act(session_of(ctx), numbers, "accept", "stays as it is booked")


@command(app, "settle")
def settle(
    ctx: typer.Context,
    number: _Id,
    booked: Annotated[str, typer.Option(metavar="REMOTE_ID", help="It is in the books, under this id.")] = "",
    not_booked: Annotated[bool, typer.Option("--not-booked", help="It is not in the books: send it again.")] = False,
) -> int:
    """Tell what became of a document that is in doubt, after a look into the books."""
    if bool(booked) == not_booked:
        raise wrong("Say either --booked REMOTE_ID or --not-booked.")
    return _act(session_of(ctx), [number], "settle", "is settled", booked or None)


@command(app, "undo")
def undo(
    ctx: typer.Context,
    number: _Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> int:
    """Void a document in the books. Says first what would be voided."""
    from connector_service.cli.causes import label
    from connector_service.engine.report import document_json

    session = session_of(ctx)
    with session.reading() as product:
        row = product.document(number)
    if row.state not in BOOKED_STATES:
        raise Conflict(
            f"Document {number} is {str(row.state).replace('_', ' ')}; only an exported one can be undone.",
            fix=f"See `connector documents show {number}`.",
            code=FaultCode.NOT_POSSIBLE_NOW,
        )
    session.out.say(f"This voids in the books: {label(row)} (id {row.remote_id or 'none'}).")
    if not (yes or asked(session, f"Void {plural(1, 'document')}?")):
        session.out.say("Nothing was changed. To do it without being asked, add --yes.")
        if session.as_json:
            session.out.document(document_json(row) | {"applied": False})
        return NEEDS_PERSON
    return _act(session, [number], "undo", "is voided")
