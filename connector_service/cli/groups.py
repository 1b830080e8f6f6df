"""Groups of commands: one that loads a command when it is called, and one with a command for when none is named."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeVar

import typer
import typer.main
from typer.core import TyperGroup

_Function = TypeVar("_Function", bound=Callable[..., Any])

ACTOR: Final = "command line"
"""In whose name the audit trail tells of what a command did."""

# Command: module of this package and name of its Typer there. The order is that of the help.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("demo", "app"),
    "run": ("run", "app"),
    "check": ("check", "app"),
    "sync": ("sync", "app"),
    "begin": ("begin", "app"),
    "start": ("automatic", "start"),
    "stop": ("automatic", "stop"),
    "status": ("status", "app"),
    "documents": ("documents", "app"),
    "issues": ("issues", "app"),
    "links": ("links", "app"),
    "reference": ("reference", "app"),
    "secret": ("secret", "app"),
    "reconcile": ("reconcile", "app"),
    "books": ("books", "app"),
    "audit": ("audit", "app"),
    "systems": ("systems", "app"),
    "backup": ("backup", "backup"),
    "restore": ("backup", "restore"),
}
"""Every command, and where it is."""


class LazyGroup(TyperGroup):
    """The commands of ``COMMANDS``; the module of one is loaded when it is called."""

    def __init__(self, **settings: Any) -> None:
        """Names only, so that a misspelt one gets a suggestion."""
        super().__init__(**settings)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # filled by get_command

    def list_commands(self, ctx: Any) -> list[str]:
        """All names."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, loaded now."""
        if cmd_name not in COMMANDS:
            return None
        if self.commands[cmd_name] is None:
            module, name = COMMANDS[cmd_name]
            found = getattr(import_module(f"connector_service.cli.{module}"), name)
            command = typer.main.get_command(found)
            command.name = cmd_name
            self.commands[cmd_name] = command
        return self.commands[cmd_name]


class RouteGroup(TyperGroup):
    """Takes ``connector links main`` for ``connector links list main``, and a route before the command's name too."""

    default: str = ""
    """What is meant where no command is named; empty: one has to be."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name to the front."""
        first = args[0] if args else ""
        if first not in self.commands and first != "--help":
            if len(args) > 1 and not first.startswith("-") and args[1] in self.commands:
                args = [args[1], first, *args[2:]]
            elif self.default:
                args = [self.default, *args]
        return super().parse_args(ctx, args)


class ListGroup(RouteGroup):
    """Lists where no command is named."""

    default = "list"


class ShowGroup(RouteGroup):
    """Shows where no command is named."""

    default = "show"


def new_app(group: type[TyperGroup] | None = None, text: str | None = None) -> typer.Typer:
    """A Typer with plain help, as all commands have; with ``group`` one that holds several commands."""
    app = typer.Typer(
        cls=group,
        help=text,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    if group is not None:
        app.callback(help=text)(_nothing)
    return app


def command(app: typer.Typer, name: str | None = None) -> Callable[[_Function], _Function]:
    """Makes a function a command of an app; its help ends with what every command takes."""
    return app.command(
        name, epilog="Every command takes --json (one JSON document on standard output) and --home DIR (data folder)."
    )


def _nothing() -> None:
    pass
