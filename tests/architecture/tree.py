"""Finds the files that the rules are about, and walks their syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PRODUCT: Final = ("connector_service", "tray")
_NOT_OURS: Final = ("connector_service/web/static/vendor/",)

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project that git knows or would take, and that is there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
    ).stdout
    names = sorted({name for name in listed.split("\0") if name and not name.startswith(_NOT_OURS)})
    return tuple(ROOT / name for name in names if (ROOT / name).is_file())


def python_files(*folders: str) -> list[Path]:
    """The Python files under some folders, or all of the project."""
    files = [path for path in project_files() if path.suffix == ".py"]
    if not folders:
        return files
    return [path for path in files if path.relative_to(ROOT).parts[0] in folders]


def module_name(path: Path) -> str:
    """The dotted name of a file of the project."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def product_sources() -> Iterator[tuple[str, str]]:
    """Name and text of every module of the product."""
    for path in python_files(*PRODUCT):
        yield module_name(path), path.read_text(encoding="utf-8")


def named_functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Every function with its dotted name inside the module, nested ones too."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield f"{prefix}{child.name}", child
                yield from walk(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, f"{prefix}{child.name}.")
            else:
                yield from walk(child, prefix)

    return walk(tree, "")


def place_of(tree: ast.Module, line: int) -> str:
    """The dotted name of the innermost function or class around a line, or "" at module level."""
    best, best_start = "", 0

    def walk(node: ast.AST, prefix: str) -> None:
        nonlocal best, best_start
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function | ast.ClassDef):
                name = f"{prefix}{child.name}"
                if child.lineno <= line <= (child.end_lineno or child.lineno) and child.lineno >= best_start:
                    best, best_start = name, child.lineno
                walk(child, f"{name}.")
            else:
                walk(child, prefix)

    walk(tree, "")
    return best
