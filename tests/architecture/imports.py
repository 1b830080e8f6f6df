"""The import arrows, as a table and as a checker over source text."""

import ast
import sys
from collections.abc import Iterator
from typing import Final

PACKAGE: Final = "connector_service"

# What each part may import of the product, besides itself. A part that is not named here may not exist. Systems are not
# in it: they are kept apart by rule (`_system_fault`), so that adding one does not touch this table.
ARROWS: Final[dict[str, frozenset[str]]] = {
    "domain": frozenset(),
    "contract": frozenset({"domain"}),
    # Leaves: they know the domain's problems at most, and nothing else of the product.
    "files": frozenset({"domain"}),
    "paths": frozenset({"domain", "files"}),
    "nearest": frozenset(),
    # What sources and targets share of the network: limits come from the manifest, tokens lie in the vault.
    "http": frozenset({"domain", "contract", "files"}),
    "engine": frozenset({"domain", "contract"}),
    "sources": frozenset({"domain", "contract", "http", "files", "nearest"}),
    "targets": frozenset({"domain", "contract", "http", "files"}),
    "store": frozenset({"domain", "contract", "files"}),
    "settings": frozenset({"domain", "contract", "files", "nearest"}),
    "vault": frozenset({"domain", "contract", "files"}),
    "audit": frozenset({"domain", "contract", "files"}),
    "observe": frozenset({"domain", "contract", "files", "paths"}),
    "client": frozenset({"domain", "http", "paths", "files"}),
    # What the only place where everything meets is made of, and that place.
    "wiring": frozenset(
        {"domain", "contract", "engine", "store", "settings", "vault", "audit", "observe", "paths", "files"}
    ),
    "app": frozenset(
        {
            *("domain", "contract", "engine", "store", "settings", "vault", "audit", "observe", "paths", "files"),
            *("http", "wiring"),
        }
    ),
    "web": frozenset({"domain", "contract", "engine", "app", "wiring", "observe", "paths", "files"}),
    "hosts": frozenset({"domain", "contract", "engine", "app", "wiring", "web", "observe", "paths", "files", "client"}),
    # The sample shop and its folder: data that is made once, which the command line then syncs.
    "demo": frozenset({"domain", "paths", "files"}),
    "cli": frozenset(
        {
            *("domain", "contract", "engine", "app", "wiring", "web", "hosts", "observe", "paths", "files", "client"),
            "demo",
        }
    ),
    "__main__": frozenset({"cli"}),
}

# Modules that may import a library which only one module may import.
ONLY_IN: Final[dict[str, frozenset[str]]] = {"httpx": frozenset({f"{PACKAGE}.http.transport"})}


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of all that a source text imports, wherever in it, literal import_module calls too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or "")
                continue
            for alias in node.names:
                # `from package import part` may name a module, so both are looked at.
                yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield node.lineno, str(first.value)


def part_of(module: str) -> str:
    """The part of the product that a module belongs to: "engine" for connector_service.engine.push."""
    pieces = module.split(".")
    return pieces[1] if len(pieces) > 1 else ""


def arrow_faults(module: str, source: str) -> list[str]:
    """What a module imports that it may not, as sentences."""
    faults = []
    for line, target in imported(source):
        problem = _fault(module, target)
        if problem:
            faults.append(f"{module}:{line} {problem}")
    return faults


def _fault(module: str, target: str) -> str:
    top = target.split(".")[0]
    if target.startswith("."):
        return f"imports {target} relatively; write the whole name"
    if top in ONLY_IN and module not in ONLY_IN[top]:
        return f"imports {top}, which only {', '.join(sorted(ONLY_IN[top]))} may"
    if module.split(".")[0] == "tray":
        return _tray_fault(target)
    if top == "tray":
        return "imports the tray, which is a process of its own"
    part = part_of(module)
    if part == "domain" and top != PACKAGE and top not in sys.stdlib_module_names:
        return f"imports {top}; the domain uses the standard library only"
    if top != PACKAGE or not part:
        return ""
    if part not in ARROWS:
        return f"is of the part {part!r}, which has no arrows"
    goal = part_of(target)
    if goal in ("sources", "targets"):
        return _system_fault(module, target)
    # `from connector_service import __version__` names no part.
    if goal in ("", part, "__version__") or goal in ARROWS[part]:
        return ""
    return f"imports {target}; {part} may import {', '.join(sorted(ARROWS[part])) or 'nothing'} of the product"


def _system_fault(module: str, target: str) -> str:
    """Systems are reached through the registry only; among themselves they share `shared` of their own side."""
    mine, theirs = module.split("."), target.split(".")
    if mine[1] != theirs[1]:
        return f"imports {target}; systems are opened through contract.registry only"
    if len(mine) < 3 or len(theirs) < 3 or theirs[2] == "shared" or mine[2] == theirs[2]:
        return ""
    return f"imports {target}; no system imports another, and what is shared knows no system"


def _tray_fault(target: str) -> str:
    pieces = target.split(".")
    if pieces[0] != PACKAGE or pieces[1:2] == ["client"]:
        return ""
    return f"imports {target}; the tray knows {PACKAGE}.client only"
