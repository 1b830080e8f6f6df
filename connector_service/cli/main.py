"""The command ``connector``: its global options, and the boundary at which every fault becomes a sentence."""

import logging
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer
import typer.main

from connector_service import __version__
from connector_service.cli.faults import INTERNAL, INTERRUPTED, WRONG, status_of, wrong
from connector_service.cli.groups import LazyGroup, new_app
from connector_service.cli.output import Out
from connector_service.cli.session import Session, session_of
from connector_service.domain.problems import ConnectorError
from connector_service.domain.status_codes import FaultCode

NO_FOLDER: Final = "--"
"""Stands for a ``--home`` without its folder."""

_OTHER_WORDS: Final = (
    (r"^Invalid value for", "The value does not fit for"),
    (r"^Invalid value: ", ""),
    (r"Value error, ", ""),
    (r"Input should be a valid (?:integer|number), unable to parse .*", "a number is needed."),
    (r"Input should be greater than or equal to (\S+)$", r"\1 or more is needed."),
    (r"^Got unexpected extra argument(?:\(s\)|s)? \((.*)\)$", r"There is more than this command takes: \1."),
    (r"^Missing argument '(.*)'\.$", r"\1 is not given."),
    (r"^Missing option '(.*)'\.$", r"The option \1 is not given."),
)
"""What the library of the commands says about a slip in one, and what is said instead."""

app: typer.Typer = new_app()
app.info.cls = LazyGroup


@app.callback(invoke_without_command=True)
def connector(
    ctx: typer.Context,
    home: Annotated[str, typer.Option(metavar="DIR", help="The data folder; else CONNECTOR_HOME, else your own.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> int:
    """Puts what is new in a business system into the accounting package, exactly once."""
    session = session_of(ctx)
    if version:
        if session.as_json:
            session.out.document({"version": __version__})
        session.out.say(f"connector-service {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        from connector_service.cli.status import overview

        return overview(session)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; returns its exit status and lets no fault through."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    rest, home, as_json = take_globals(given)
    out = Out(as_json)
    session = Session(home or None, out)
    try:
        status = _carry_out(session, rest)
    finally:
        out.close()
    return status


def _carry_out(session: Session, arguments: list[str]) -> int:
    out = session.out
    try:
        if session.home == NO_FOLDER:
            raise wrong("--home needs the path of a folder.", fix="Write it like --home DIR.")
        command = typer.main.get_command(app)
        answer = command.main(arguments, prog_name="connector", standalone_mode=False, obj=session)
    except ConnectorError as fault:
        out.fault(fault)
        return status_of(fault)
    except typer.TyperException as fault:
        out.fault(_usage(fault))
        return WRONG
    except (KeyboardInterrupt, typer.Abort):
        answer = INTERRUPTED
    except Exception as fault:  # noqa: BLE001 - the boundary: whatever else comes is a fault of this program
        return _internal(session, fault)
    if answer == INTERRUPTED:
        out.fault(ConnectorError("Interrupted.", why="", fix="", code=FaultCode.INTERRUPTED))
    return answer if isinstance(answer, int) else 0


def take_globals(arguments: Sequence[str]) -> tuple[list[str], str, bool]:
    """The arguments without ``--home DIR`` and ``--json``, which may stand anywhere before a ``--``."""
    rest: list[str] = []
    home, as_json = "", False
    waiting = list(arguments)
    while waiting:
        one = waiting.pop(0)
        if one == "--":
            return [*rest, one, *waiting], home, as_json
        if one == "--json":
            as_json = True
        elif one == "--home":
            home = waiting.pop(0) if waiting and not waiting[0].startswith("-") else NO_FOLDER
        elif one.startswith("--home="):
            home = one.removeprefix("--home=") or NO_FOLDER
        else:
            rest.append(one)
    return rest, home, as_json


def _usage(fault: typer.TyperException) -> ConnectorError:
    ctx = getattr(fault, "ctx", None)
    what = fault.format_message().strip()
    for theirs, ours in _OTHER_WORDS:
        what = re.sub(theirs, ours, what)
    path = ctx.command_path if ctx is not None else "connector"
    return wrong(what, fix=f"See `{path} --help`.")


def _internal(session: Session, fault: Exception) -> int:
    """Tell the log all and the user a sentence."""
    place = _logged(session, fault)
    where = f"The log has the details: {place}." if place else "The log could not be written."
    session.out.fault(
        ConnectorError(
            "The command was ended by a fault of this program.",
            why=f"{where} Nothing is sent twice because of it.",
            fix="Try again. If it comes back, send the log file to whoever looks after this computer.",
            code=FaultCode.INTERNAL_FAULT,
        )
    )
    return INTERNAL


def _logged(session: Session, fault: Exception) -> str:
    from connector_service.observe import set_up
    from connector_service.paths import Paths

    try:
        file = Paths.locate(session.home).ensure().log_file
        end = set_up(file, redactor=session.redactor)
        logging.getLogger("connector_service.cli").critical("A command was ended by a fault.", exc_info=fault)
        end()
    except (OSError, ConnectorError):
        return ""
    return os.fspath(file) if file.exists() else ""
