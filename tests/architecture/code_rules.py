"""Rules about one module's code, as checkers over source text. Each returns its faults as sentences."""

import ast
from collections.abc import Iterator
from typing import Final

from tests.architecture.tree import Function, named_functions, place_of

MODULE_LINES: Final = 400
FUNCTION_LINES: Final = 60
_BLIND: Final = ("Exception", "BaseException")


def size_faults(module: str, source: str) -> list[str]:
    """A module that is too long, and functions that are."""
    faults = []
    count = len(source.splitlines())
    if count > MODULE_LINES:
        faults.append(f"{module} has {count} lines; {MODULE_LINES} at most")
    for name, function in named_functions(ast.parse(source)):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES:
            faults.append(f"{module}:{function.lineno} {name} has {length} lines; {FUNCTION_LINES} at most")
    return faults


def public_faults(module: str, source: str) -> list[str]:
    """Public names without annotation or documentation."""
    tree = ast.parse(source)
    faults = [] if ast.get_docstring(tree) or not tree.body else [f"{module} has no docstring"]
    faults += [f"{module}:{fault}" for fault in _body_faults(tree.body, "")]
    return faults


def _body_faults(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in _flat(body):
        if isinstance(node, Function):
            if _is_public(node.name) and not _is_exempt(node):
                yield from _function_faults(node, prefix)
        elif isinstance(node, ast.ClassDef):
            if _is_public(node.name):
                if not ast.get_docstring(node):
                    yield f"{node.lineno} {prefix}{node.name} is not documented"
                yield from _body_faults(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign) and not prefix:
            for target in node.targets:
                if isinstance(target, ast.Name) and _is_public(target.id):
                    yield f"{node.lineno} {target.id} is not annotated"


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, with those under `if` and `try` at the same level."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _flat(node.body)
            yield from _flat(node.orelse)
        elif isinstance(node, ast.Try):
            yield from _flat(node.body)
            for handler in node.handlers:
                yield from _flat(handler.body)
        else:
            yield node


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _is_exempt(function: Function) -> bool:
    """Overloads, setters and overrides speak through the definition that they belong to."""
    names = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any(name.split(".")[-1] in ("overload", "setter", "override") for name in names)


def _function_faults(node: Function, prefix: str) -> Iterator[str]:
    where = f"{node.lineno} {prefix}{node.name}"
    if not ast.get_docstring(node):
        yield f"{where} is not documented"
    if node.returns is None:
        yield f"{where} does not say what it returns"
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    arguments += [extra for extra in (node.args.vararg, node.args.kwarg) if extra]
    for argument in arguments:
        if argument.annotation is None and argument.arg not in ("self", "cls"):
            yield f"{where} does not say the type of {argument.arg}"


def blind_except_faults(module: str, source: str, allowed: dict[tuple[str, str], str]) -> list[str]:
    """Handlers that catch everything, outside the places that ``allowed`` names with a reason."""
    tree = ast.parse(source)
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            catches_all = node.type is None or any(_name(part) in _BLIND for part in _parts(node.type))
            # One that tidies up and lets the problem go on hides nothing.
            blind = catches_all and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
        elif isinstance(node, ast.Call) and _name(node.func) == "suppress":
            blind = any(_name(part) in _BLIND for part in node.args)
        else:
            continue
        place = place_of(tree, node.lineno)
        if blind and (module, place) not in allowed:
            faults.append(f"{module}:{node.lineno} {place or 'the module'} catches everything")
    return faults


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def float_faults(module: str, source: str, allowed: dict[tuple[str, str], str]) -> list[str]:
    """Conversions to float and float annotations, except of names that end in "seconds" and of ``allowed`` places.

    A place is the dotted name of a function with ``:name`` behind it for one of its parameters or variables.
    """
    tree = ast.parse(source)
    faults = []
    for line, name in _floats(tree):
        place = place_of(tree, line)
        keys = {(module, place), (module, f"{place}:{name}" if name else place)}
        if not name.endswith("seconds") and not keys & allowed.keys():
            faults.append(f"{module}:{line} {place or 'the module'} uses float{f' for {name}' if name else ''}")
    return faults


def _floats(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of each use of float as a conversion or a type; the name is empty for conversions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == "float":
            yield node.lineno, ""
        elif isinstance(node, ast.arg) and _says_float(node.annotation):
            yield node.lineno, node.arg
        elif isinstance(node, ast.AnnAssign) and _says_float(node.annotation):
            yield node.lineno, _name(node.target)
        elif isinstance(node, Function) and _says_float(node.returns):
            yield node.lineno, node.name


def _says_float(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name) and node.id == "float":
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "float" in node.value:
            return True
    return False
