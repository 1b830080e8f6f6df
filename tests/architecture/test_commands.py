"""The command line: every command says what it does, and the README shows only commands that exist."""

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import typer
import typer.main
from typer.core import TyperGroup

from connector_service.cli.main import app
from tests.architecture.imports import imported
from tests.architecture.text_rules import Typed, dev_commands, named_commands, typed_commands
from tests.architecture.tree import ROOT, product_sources

# Typer's commands have no public type of their own.
Command: TypeAlias = Any


def command_tree() -> TyperGroup:
    """The command line as its library sees it."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def child_of(group: TyperGroup, name: str) -> Command:
    """A command of a group, or None."""
    return group.get_command(typer.Context(group), name)


def all_commands(group: TyperGroup, path: str = "connector") -> Iterator[tuple[str, Command]]:
    """Every command and group under a group."""
    for name in group.list_commands(typer.Context(group)):
        command = child_of(group, name)
        yield f"{path} {name}", command
        if isinstance(command, TyperGroup):
            yield from all_commands(command, f"{path} {name}")


def help_faults(group: TyperGroup) -> list[str]:
    """Commands and options without a help text."""
    faults = []
    for path, command in all_commands(group):
        if command.hidden:
            continue
        if not (command.help or "").strip():
            faults.append(f"`{path}` has no help text")
        faults += [
            f"`{path} {option.opts[0]}` has no help text"
            for option in command.params
            if option.param_type_name == "option" and not option.help and not option.hidden
        ]
    return faults


def names_of(command: Command) -> set[str]:
    """The options of a command, long and short, with their negatives."""
    return {name for param in command.params for name in (*param.opts, *param.secondary_opts)}


def usual_of(command: Command) -> str:
    """The command of a group that is meant where none is named; empty for others."""
    return str(getattr(command, "default", "")) if isinstance(command, TyperGroup) else ""


def typed_fault(typed: Typed, group: TyperGroup) -> str:
    """Why a command that a page shows would not be understood, or ""."""
    command: Command = group
    # --home and --json belong to every command; cli.main takes them itself.
    options, path = names_of(group) | {"--help", "--home", "--json"}, "connector"
    for word in typed.words:
        if not isinstance(command, TyperGroup):
            break
        following = child_of(command, word)
        usual = usual_of(command)
        if following is None and usual:  # `connector documents main` is `connector documents list main`
            options |= names_of(child_of(command, usual))
            break
        if following is None:
            return f"`{path} {word}` does not exist"
        command, path = following, f"{path} {word}"
        options |= names_of(command)
    if usual_of(command):
        options |= names_of(child_of(command, usual_of(command)))
    unknown = [option for option in typed.options if option not in options]
    return f"`{path}` has no option {unknown[0]}" if unknown else ""


def readme_commands(program: str) -> list[Typed]:
    """The commands of one program in the README's fenced blocks."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    return [typed for typed in typed_commands(page) if typed.program == program]


def test_every_command_and_option_has_a_help_text() -> None:
    faults = help_faults(command_tree())
    assert not faults, "\n".join(faults)


def test_readme_names_commands_of_dev_py_that_exist() -> None:
    shown = readme_commands("dev.py")
    assert {typed.words[0] for typed in shown} >= {"demo", "test"}
    source = (ROOT / "dev.py").read_text(encoding="utf-8")
    assert {typed.words[0] for typed in shown} <= dev_commands(source)
    own = {"test": {"--quick", "--long"}, "lock": {"--upgrade"}}
    for typed in shown:
        assert set(typed.options) <= own.get(typed.words[0], set(typed.options))


def test_readme_names_commands_of_connector_that_exist() -> None:
    group = command_tree()
    # `dev.py demo` hands its options on to `connector demo`.
    shown = [
        *readme_commands("connector"),
        *(typed for typed in readme_commands("dev.py") if typed.words[:1] == ("demo",)),
    ]
    assert shown
    faults = [fault for typed in shown if (fault := typed_fault(typed, group))]
    assert not faults, "\n".join(faults)


# Commands that come later, and who may name them meanwhile: nobody can get such a text to see.
LATER: Final = {
    "connector connect": (
        ("connector_service.http.", "connector_service.domain.messages"),
        "the sign-in to a package; no system that is there has one, so nothing says GRANT_DEAD; see pages.status_codes",
    )
}
# The modules whose texts name it, besides the table of messages.
SIGN_IN: Final = tuple(
    f"connector_service.http.{name}" for name in ("catcher", "connect", "oauth", "refusals", "tokens")
)


def test_texts_of_the_product_name_commands_that_exist() -> None:
    group = command_tree()
    faults, needed, seen = [], set(), 0
    for module, source in product_sources():
        for line, typed in named_commands(source):
            seen += 1
            fault = typed_fault(typed, group)
            later = " ".join((typed.program, *typed.words[:1]))
            if fault and module.startswith(LATER.get(later, ((), ""))[0]):
                needed.add(later)
            elif fault:
                faults.append(f"{module}:{line} {fault}")
    assert not faults, "\n".join(faults)
    assert seen > 50
    assert needed == set(LATER), "an exception is not needed any more"


def test_no_system_needs_a_command_that_comes_later() -> None:
    """GRANT_DEAD names `connector connect`, which must be there before a part that can say so is used."""
    users = [
        f"{module}:{line} imports {name}"
        for module, source in product_sources()
        for line, name in imported(source)
        if name.startswith(SIGN_IN) and not module.startswith("connector_service.http.")
    ]
    assert not users or "connect" in command_tree().list_commands(typer.Context(command_tree())), "\n".join(users)


def test_reader_of_texts_finds_commands_and_not_the_product() -> None:
    source = (
        'a = "Files of the connector could end up elsewhere; run `connector audit verify --json`."\n'
        'b = f"Type: connector {name} or connector sync {name} --dry-run, then wait."\n'
    )
    assert list(named_commands(source)) == [
        (1, Typed("connector", ("audit", "verify"), ("--json",))),
        (2, Typed("connector", ("sync", "VALUE"), ("--dry-run",))),
    ]


def test_ci_runs_exactly_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert [line for line in script.splitlines() if "dev.py" in line] == ["python3 dev.py test"]


SAMPLE = """
Text with `connector nothing` in a line.

```
$ python3 dev.py demo --once        # about a minute
118 of 120 exported
  connector like output
connector sync ROUTE [--dry-run]     one run
connector audit show | more
py -3.13 dev.py test --quick
```
"""


def test_page_reader_finds_commands_and_not_their_output() -> None:
    assert typed_commands(SAMPLE) == [
        Typed("dev.py", ("demo",), ("--once",)),
        Typed("connector", ("sync", "ROUTE"), ("--dry-run",)),
        Typed("connector", ("audit", "show"), ()),
        Typed("dev.py", ("test",), ("--quick",)),
    ]


def sample_group() -> TyperGroup:
    """A small command line, with a command that has no help."""
    top, audit = typer.Typer(), typer.Typer(help="The trail.")

    @audit.command()
    def show(route: str = typer.Option("", "--route", help="Only this one.")) -> None:
        """Show it."""

    @top.command()
    def sync(dry_run: bool = typer.Option(False, "--dry-run")) -> None:
        pass

    top.add_typer(audit, name="audit")
    command = typer.main.get_command(top)
    assert isinstance(command, TyperGroup)
    return command


def test_help_checker_sees_a_command_without_help() -> None:
    faults = help_faults(sample_group())
    assert [fault for fault in faults if "sync" in fault] == [
        "`connector sync` has no help text",
        "`connector sync --dry-run` has no help text",
    ]
    assert not [fault for fault in faults if "audit" in fault]


def test_page_checker_sees_what_does_not_exist() -> None:
    group = sample_group()
    assert typed_fault(Typed("connector", ("audit", "show"), ("--route",)), group) == ""
    assert typed_fault(Typed("connector", ("sync", "ROUTE"), ("--dry-run",)), group) == ""
    assert typed_fault(Typed("connector", ("audit", "list"), ()), group) == "`connector audit list` does not exist"
    assert "no option --all" in typed_fault(Typed("connector", ("audit", "show"), ("--all",)), group)


def test_dev_py_reader() -> None:
    assert dev_commands('def main():\n    commands = {"demo": demo, "test": test}\n') == {"demo", "test"}
