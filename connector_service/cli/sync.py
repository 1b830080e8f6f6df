"""``connector sync``: one run now, or a look at what it would do."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_service.cli.faults import DONE, INTERRUPTED, NEEDS_PERSON
from connector_service.cli.groups import command, new_app
from connector_service.cli.output import Out, fault_json
from connector_service.cli.session import Session, day, session_of
from connector_service.domain.kinds import Kind

if TYPE_CHECKING:
    from connector_service.app import App
    from connector_service.contract.journal import IssueRow, RunRow
    from connector_service.engine.preview import Planned, Preview
    from connector_service.engine.run import Request, RunResult

app: typer.Typer = new_app()


@command(app)
def sync(
    ctx: typer.Context,
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="The route.")],
    kind: Annotated[list[Kind], typer.Option(help="Only this kind; may be given again.")] = [],  # noqa: B006
    first: Annotated[
        date | None, typer.Option("--from", parser=day, metavar="DATE", help="Only what is dated on or after it.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=day, metavar="DATE", help="Only what is dated on or before it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Wait so long where another process is at work.")
    ] = 0,
) -> int:
    """Sync a route now: read what is new at the source, book it, and report."""
    from connector_service.engine.run import Request

    session = session_of(ctx)
    if first and last and first > last:
        raise typer.BadParameter(f"The first day ({first}) is after the last ({last}).")
    request = Request(kinds=tuple(kind), first=first, last=last)
    return _preview(session, route, request) if dry_run else _run(session, route, request, wait)


# -- a run ------------------------------------------------------------------------------------------------------------


def _run(session: Session, route: str, request: "Request", wait_seconds: float) -> int:
    from connector_service.app import Hooks
    from connector_service.cli.progress import interruptible, progress

    with session.writing(f"a sync of route {route}", wait_seconds) as app:
        app.settings_of(route)
        with interruptible(session.out.note) as stop, progress() as tell:
            result = app.sync(route, request, Hooks(tell, stop.is_set))
        report(session.out, app, route, result)
        # What its end has found, such as a hole in the audit trail, is not in the run's own status.
        found = NEEDS_PERSON if result.exit == DONE and open_issues(app, route) else result.exit
    return INTERRUPTED if stop.pressed else found


def report(out: Out, app: "App", route: str, result: "RunResult") -> None:
    """Print the report of a run: as one streamed JSON document, or in sentences."""
    if out.as_json:
        head, rows, tail = report_parts(app, route, result)
        out.streamed(head, "documents", rows, tail)
    else:
        _say_report(out, app, route, result)
    fault = result.fault
    if fault is None:
        return
    # What stands as an open issue in the report already is not said once more.
    if out.as_json or not any((one.what, one.why) == (fault.what, fault.why) for one in open_issues(app, route)):
        for part in (fault.what, fault.why, fault.fix):
            if part:
                out.note(part)


def report_parts(
    app: "App", route: str, result: "RunResult"
) -> tuple[dict[str, Any], Iterator[dict[str, Any]], dict[str, Any]]:
    """Head, documents (one by one) and end of a run's report in JSON."""
    from connector_service.engine.report import document_json, issue_json, report_head

    row = app.store.runs.run(result.run)
    assert row is not None  # noqa: S101 - the run that was just made
    documents = (document_json(one) for one in app.store.listing.of_run(result.run))
    tail: dict[str, Any] = {"issues": [issue_json(issue) for issue in open_issues(app, route)]}
    if result.fault is not None:
        tail["error"] = fault_json(result.fault)
    return report_head(row, result.seconds), documents, tail


def open_issues(app: "App", route: str) -> list["IssueRow"]:
    """The open issues of a route, with those of the whole data folder."""
    return [*app.store.issues(route), *app.store.issues("")]


def _say_report(out: Out, app: "App", route: str, result: "RunResult") -> None:
    from connector_service.cli.causes import Causes
    from connector_service.engine.report import FOR_A_PERSON, run_in_words

    if result.fault is None or any(result.counts.values()):
        out.say(run_in_words(result.counts, result.totals, target_title(app, route)))
    if any(result.counts.get(state) for state in FOR_A_PERSON):
        Causes().take_all(app.store.listing.of_run(result.run)).say(out, route)
    say_issues(out, open_issues(app, route))


def say_issues(out: Out, issues: Iterable["IssueRow"]) -> None:
    """Open issues in sentences."""
    for issue in issues:
        out.say()
        out.say(f"Issue {issue.id}: {issue.what} ({issue.code})")
        for part in (issue.why, issue.fix):
            if part:
                out.say(f"  {part}")


def target_title(app: "App", route: str) -> str:
    """What the target of a route is called."""
    section = app.settings_of(route).target
    return app.loaded.systems.target(section.system).title


# -- a preview --------------------------------------------------------------------------------------------------------


def _preview(session: Session, route: str, request: "Request") -> int:
    from connector_service.cli.causes import Causes
    from connector_service.engine.report import document_json, report_head, run_in_words, sum_up

    began, started = monotonic(), datetime.now(UTC)
    with session.reading() as app:
        found = app.preview(route, request)
        counts, totals = sum_up(found.documents)
        counts = {**counts, "read": found.read, "unchanged": found.unchanged}
        row = _planned_run(route, started, counts, totals)
        issues = [*_brakes(route, found), *open_issues(app, route)]
        title = target_title(app, route)
    from connector_service.engine.report import issue_json

    held = any(one.action == "hold" for one in found.documents)
    if session.as_json:
        documents = (document_json(one, one.action) for one in found.documents)
        tail = {"issues": [issue_json(issue) | ({} if issue.id else {"id": None}) for issue in issues]}
        session.out.streamed(report_head(row, monotonic() - began), "documents", documents, tail)
    else:
        session.out.say(f"{run_in_words(counts, totals, title, planned=True)} Nothing was done.")
        Causes().take_all(found.documents).say(session.out, route)
        _say_pushes(session.out, found.documents)
        say_issues(session.out, issues)
    return NEEDS_PERSON if held or found.brakes else DONE


def _planned_run(route: str, started: datetime, counts: dict[str, int], totals: dict[str, Any]) -> "RunRow":
    from connector_service.contract.journal import RunRow

    return RunRow(0, route, "manual", True, started, None, None, counts, totals)


def _brakes(route: str, found: "Preview") -> Iterator["IssueRow"]:
    from connector_service.contract.journal import IssueRow

    for brake in found.brakes:
        fix = brake.fix.replace("`connector issues confirm {issue}`", "it with the issue that the run will open")
        yield IssueRow(0, route, brake.code, brake.what, brake.why, fix, "", datetime.now(UTC))


def _say_pushes(out: Out, documents: Iterable["Planned"]) -> None:
    from connector_service.cli.causes import label

    shown = [one for one in documents if one.action == "push"]
    if not shown:
        return
    out.say()
    out.say("Would be exported:")
    for one in shown[:20]:
        out.say(f"  {label(one)}")
    if len(shown) > 20:
        out.say(f"  and {len(shown) - 20:,} more; all of them: --json")
