"""The reference pages under docs/, made from the code, so that they cannot fall behind it: `python3 dev.py docs`."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import typer
import typer.main

from connector_service.cli.main import app
from connector_service.contract import registry
from connector_service.domain.kinds import Kind, PartyKind, State
from connector_service.domain.messages import KIND_WORDS, MESSAGES
from connector_service.domain.status_codes import FaultCode, IssueCode, OutcomeCode, StatusCode
from connector_service.settings.example import help_table
from connector_service.sources.shared.fields import AnyKind, fields_of
from tests.architecture.tree import ROOT

_HEAD: Final = "<!-- Made from the code by `python3 dev.py docs`; do not edit. -->\n"

STATES: Final = {
    State.WAITING: "It passed its checks and goes out with this run or the next.",
    State.HELD: "A check did not pass. The status code says which; it is looked at again in each run.",
    State.UNREADABLE: "A row at the source that cannot be a document, kept with the reason.",
    State.QUEUED: "Handed to a package that fetches its work itself.",
    State.SENDING: "On its way. After a crash it is looked up in the books before anything is sent again.",
    State.IN_DOUBT: "The answer to sending it was lost. It is asked for, and never sent blindly.",
    State.REFUSED: "The package said no, with its reason.",
    State.EXPORTED: "In the books.",
    State.DRIFTED: "In the books, and changed at the source since. A person decides.",
    State.MARKED: "Counts as exported: dated before the begin date, marked at the source, or marked by a person.",
    State.IGNORED: "Left out by a person.",
    State.UNDONE: "Voided in the books by a person.",
    State.MISSING: "It was booked, and is not in the books any more.",
    State.GONE: "Deleted at the source before it was sent.",
}

EXITS: Final = (
    (0, "All done."),
    (1, "Done, but something needs a person: held or refused documents, one in doubt, a brake, a difference."),
    (2, "The command or the settings do not fit; nothing was done."),
    (3, "The source or the target is out of reach, or wants a sign-in."),
    (4, "Another process is at work in the data folder."),
    (5, "A fault of this program; the log has the details."),
    (130, "Interrupted (Ctrl-C)."),
)


def pages() -> dict[str, str]:
    """Every page: its name under docs/, and its text."""
    makers: dict[str, Callable[[], Iterator[str]]] = {
        "commands.md": commands,
        "settings.md": settings,
        "status-codes.md": status_codes,
    }
    return {name: _HEAD + "\n".join(make()).rstrip("\n") + "\n" for name, make in makers.items()}


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' for _ in heads)}|"
    for row in rows:
        cells = [str(cell).replace("|", "\\|").replace("\n", " ") for cell in row]
        yield f"| {' | '.join(cells)} |"
    yield ""


def exits() -> Iterator[str]:
    """The exit statuses, as README and reference have them."""
    yield from table(("status", "meaning"), EXITS)


# -- commands ---------------------------------------------------------------------------------------------------------


def commands() -> Iterator[str]:
    """Every command with its arguments and options."""
    yield "# Commands\n"
    yield "Every command takes `--json` (one JSON document on standard output, and nothing else there) and `--home DIR`"
    yield "(the data folder; else `CONNECTOR_HOME`, else the user's own), before or after its name.\n"
    yield "## Exit status\n"
    yield from exits()
    root = typer.main.get_command(app)
    yield from _group(root, "connector")


def _group(group: Any, path: str) -> Iterator[str]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command.hidden:
            continue
        here = f"{path} {name}"
        if hasattr(command, "list_commands"):
            yield f"## {here}\n"
            yield f"{_prose(command.help)}\n"
            yield from _group(command, here)
        else:
            yield from _command(command, here)


def _command(command: Any, path: str) -> Iterator[str]:
    shown = [param for param in command.params if not getattr(param, "hidden", False) and param.name != "help"]
    arguments = [param for param in shown if param.param_type_name == "argument"]
    words = [_argument(param) for param in arguments]
    yield f"{'##' if path.count(' ') == 1 else '###'} {' '.join([path, *words])}\n"
    yield f"{_prose(command.help)}\n"
    rows = [(_argument(param), getattr(param, "help", "") or "") for param in arguments]
    rows += [(f"`{_option(param)}`", _prose(param.help)) for param in shown if param not in arguments]
    if rows:
        yield from table(("", ""), rows)


def _argument(param: Any) -> str:
    name = (param.metavar or param.name or "").strip("[]{}").upper()
    name += "…" if param.nargs == -1 or getattr(param, "multiple", False) else ""
    return name if param.required else f"[{name}]"


def _option(param: Any) -> str:
    names = ", ".join((*param.opts, *param.secondary_opts))
    if param.is_flag:
        return names
    return f"{names} {(param.metavar or param.name).upper()}"


def _prose(text: str | None) -> str:
    return " ".join((text or "").split())


# -- settings ---------------------------------------------------------------------------------------------------------


def settings() -> Iterator[str]:
    """Every setting."""
    yield "# Settings\n"
    yield "They stand in `connector.toml` in the data folder; what is left out has its default. All of them stand, with"
    yield "remarks, in `config/connector.example.toml`. `connector check` names each value that does not fit, with its"
    yield "line. NAME is the route's name.\n"
    section = ""
    rows: list[tuple[str, str, str, str]] = []
    for one in help_table():
        head, _, key = one.key.rpartition(".")
        if head != section:
            yield from _section(section, rows)
            section, rows = head, []
        rows.append((f"`{key}`", one.type, f"`{one.default}`" if one.default else "", one.help))
    yield from _section(section, rows)
    for role, names, manifest_of in (
        ("source", registry.SOURCES, registry.source_manifest),
        ("target", registry.TARGETS, registry.target_manifest),
    ):
        for name in sorted(names):
            manifest: Any = manifest_of(name)
            yield f"## {role.capitalize()} {name}: {manifest.title}\n"
            yield f"{manifest.summary}\n"
            needed = [
                (f"`{one.name}`", "yes" if one.required else "", f"`{one.default}`" if one.default else "", one.help)
                for one in manifest.settings
            ]
            yield from table((f"in routes.NAME.{role}", "needed", "default", ""), needed)
            if manifest.secrets:
                yield from table(("secret", ""), [(f"`{one.name}`", one.help) for one in manifest.secrets])


def _section(section: str, rows: list[tuple[str, str, str, str]]) -> Iterator[str]:
    if rows:
        yield f"## [{section}]\n"
        yield from table(("key", "value", "default", ""), rows)


# -- status codes -----------------------------------------------------------------------------------------------------


def status_codes() -> Iterator[str]:
    """States, and every code with its words."""
    yield "# States and status codes\n"
    yield "## States of a document\n"
    yield from table(("state", ""), [(f"`{state}`", words) for state, words in STATES.items()])
    yield "## Why a document is held\n"
    yield "All checks are made; the first in this order that does not pass gives the status code.\n"
    yield from _codes(StatusCode)
    yield "## What became of a document\n"
    yield from _codes(OutcomeCode)
    yield "## Open issues of a route\n"
    yield "`connector issues` lists them. They close themselves when their cause has gone.\n"
    yield "`connector connect`, which GRANT_DEAD names, comes with the first package that asks for a sign-in.\n"
    yield from _codes(IssueCode)
    yield "## What stops a command\n"
    yield "In JSON as `error.code`. Its sentences depend on the case.\n"
    yield from table(("code", ""), [(f"`{code}`", words) for code, words in _docstrings(FaultCode)])


def _codes(codes: Iterable[str]) -> Iterator[str]:
    rows = []
    for code in codes:
        message = MESSAGES[code]
        cells = [_filled(part) for part in (message.title, message.why, message.fix)]
        rows.append((f"`{code}`", *cells))
    yield from table(("code", "what", "why", "what to do"), rows)


def _filled(text: str) -> str:
    """A message with its places for facts shown as such."""
    if re.fullmatch(r"\{\w+\}", text):
        return "As the case tells."
    return re.sub(r"\{(\w+)\}", lambda found: f"‹{found[1].replace('_', ' ')}›", text)


def _docstrings(codes: type[Any]) -> Iterator[tuple[str, str]]:
    """Each member with the text below it in the source, which Python itself does not keep."""
    source = (ROOT / "connector_service" / "domain" / "status_codes.py").read_text(encoding="utf-8")
    body = next(
        node.body
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef) and node.name == codes.__name__
    )
    for member, text in pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            target = member.targets[0]
            assert isinstance(target, ast.Name)
            yield target.id, str(text.value.value)


# -- parts of pages that are written by hand --------------------------------------------------------------------------


def fields() -> Iterator[str]:
    """The fields that a profile may name."""
    names: dict[AnyKind, str] = {
        Kind.SALES_INVOICE: "Sales invoice, credit note, vendor bill, vendor credit",
        Kind.TIME_RECORD: "Time record",
        PartyKind.CUSTOMER: "Customer, supplier, employee",
    }
    tables = {**{kind.value: KIND_WORDS[kind][1] for kind in Kind}, **{kind.value: f"{kind}s" for kind in PartyKind}}
    yield f"Tables: {', '.join(f'`[{name}]` ({words})' for name, words in tables.items())}.\n"
    for kind, words in names.items():
        yield f"### {words}\n"
        yield from table(("field", "holds"), [(f"`{name}`", what.value) for name, what in fields_of(kind).items()])


PARTS: Final = {("docs/profiles.md", "fields"): fields, ("README.md", "exit statuses"): exits}
"""Which part of which page is made, and how; it stands between two remarks with its name."""


def with_parts(page: str, text: str) -> str:
    """A page's text with its made parts as they should be."""
    for (where, name), make in PARTS.items():
        if where == page:
            begin = f"<!-- {name}: made by `python3 dev.py docs` -->\n"
            before, _, rest = text.partition(begin)
            _, end, after = rest.partition(f"<!-- end of {name} -->")
            assert end, f"{page} has no place for {name}"
            text = f"{before}{begin}\n{chr(10).join(make())}\n{end}{after}"
    return text


def write() -> None:
    """Write the pages, and the parts that are made of others."""
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8", newline="\n")
    for page in dict.fromkeys(page for page, _ in PARTS):
        file = ROOT / page
        file.write_text(with_parts(page, file.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
