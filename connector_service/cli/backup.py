"""``connector backup`` and ``connector restore``: copies of the store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector_service.cli.faults import DONE, NEEDS_PERSON
from connector_service.cli.groups import command, new_app
from connector_service.cli.session import asked, session_of
from connector_service.domain.problems import NeedsUser
from connector_service.domain.status_codes import FaultCode, IssueCode

if TYPE_CHECKING:
    from connector_service.paths import Paths

backup: typer.Typer = new_app()
restore: typer.Typer = new_app()


@command(backup)
def back_up(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="The file to write; else a new one in the folder backups.")] = "",
) -> int:
    """Copy the store into a file; the service may go on meanwhile. Keep it with a copy of the folder audit."""
    from connector_service.wiring.backup import back_up as copy

    session = session_of(ctx)
    with session.reading() as product:
        goal = copy(product.paths, product.store.database, Path(file).absolute() if file else None)
    session.out.say(f"The store is copied to {goal}.")
    if session.as_json:
        session.out.document({"file": str(goal), "bytes": goal.stat().st_size})
    return DONE


@command(restore)
def put_back(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="The backup; else the newest in the folder backups.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> int:
    """Put a copy in the place of the store. What it does not know is put back from the audit trail, or asked for."""
    from connector_service.paths import Paths
    from connector_service.wiring.backup import newest, put_in_place, refuse_unless_store

    session = session_of(ctx)
    paths = Paths.locate(session.home)
    chosen = Path(file).absolute() if file else newest(paths)
    if chosen is None:
        raise NeedsUser(
            f"There is no backup in {paths.backups_dir}.", fix="Name the file of one.", code=FaultCode.NOT_FOUND
        )
    refuse_unless_store(chosen)
    session.out.say(f"This puts {chosen} in the place of the store. The present store is kept in {paths.backups_dir}.")
    session.out.say("If anything has happened since it was made, that is put back from the audit trail as far as it")
    session.out.say("stands there, and every route stops until a person confirms.")
    if not (yes or asked(session, "Restore this backup?")):
        session.out.say("Nothing was changed. To do it without being asked, add --yes.")
        if session.as_json:
            session.out.document({"file": str(chosen), "applied": False, "kept": None, "issues": []})
        return NEEDS_PERSON
    kept: list[Path | None] = []

    def first(place: "Paths") -> None:
        kept.append(put_in_place(place, chosen))

    from connector_service.cli.sync import say_issues
    from connector_service.engine.report import issue_json

    with session.writing("a restore", first=first) as product:
        issues = [one for one in product.store.issues("") if one.code == IssueCode.STORE_BEHIND]
    session.out.say(f"The store is restored from {chosen}.")
    if not issues:
        session.out.say("Nothing had happened since it was made: every route goes on as before.")
    say_issues(session.out, issues)
    if session.as_json:
        shown = {"file": str(chosen), "applied": True, "kept": str(kept[0]) if kept[0] else None}
        session.out.document({**shown, "issues": [issue_json(one) for one in issues]})
    return NEEDS_PERSON if issues else DONE
