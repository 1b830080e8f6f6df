"""Rules about any text file of the project, about status codes, and about what the README tells people to type."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Written in pieces, so that this file does not hold what it looks for.
_UNDONE: Final = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
_MACHINE_PATHS: Final = re.compile(
    r"(?<![\w.$}/-])/(?:wo"
    r"rk|ro"
    r"ot|home/(?!user\b|you\b|NAME\b)\w+|Users/(?!you\b|NAME\b)\w+|tmp/ve"
    r"nv)(?=[/\s\"'`),;:]|$)"
)
_REGISTRIES: Final = re.compile(
    r"\b(?:files\.)?(?:py"
    r"pi\.(?:org|io)|pythonho"
    r"sted\.org|registry\.npm"
    r"js\.org|(?:deb|ftp)\.deb"
    r"ian\.org)"
)
# The sample data and captured payloads of systems may hold what a rule about our own prose forbids.
FENCE: Final = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text_faults(name: str, text: str) -> list[str]:
    """Unfinished work, paths of one machine and hosts of package registries in a text."""
    faults = []
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, what in (
            (_UNDONE, "marks unfinished work"),
            (_MACHINE_PATHS, "names a path of one machine"),
            (_REGISTRIES, "names the host of a package registry"),
        ):
            found = pattern.search(line)
            if found:
                faults.append(f"{name}:{number} {what}: {found.group()}")
    return faults


def codes_in(source: str, names: frozenset[str] = frozenset({"problem"})) -> Iterator[tuple[int, str]]:
    """Line and text of every code that a source text writes as a literal.

    That is a ``code="…"`` argument, or the first argument of a call named in ``names``.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        literals = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if called in names and node.args:
            literals.append(node.args[0])
        for value in literals:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                yield value.lineno, value.value


@dataclass(frozen=True, slots=True)
class Typed:
    """A command that a page tells people to type."""

    program: str
    """``dev.py`` or ``connector``."""
    words: tuple[str, ...]
    options: tuple[str, ...]


def typed_commands(text: str) -> list[Typed]:
    """The commands of dev.py and connector in the fenced blocks of a page, without their output.

    Brackets of optional parts are dropped; a word in capitals or with a sign in it stands for a value.
    """
    found = []
    for block in FENCE.findall(text):
        for line in block.splitlines():
            command = line.strip().removeprefix("$ ")
            match = re.match(r"(?:(?:python3?|py)(?: -3[\d.]*)? (dev\.py)|(connector))(?:\s|$)(.*)", command)
            if match and not line.startswith("  "):
                found.append(_split(match.group(1) or match.group(2), match.group(3)))
    return found


def _split(program: str, rest: str) -> Typed:
    bare = re.split(r"\s#|\s{3,}", re.sub(r"[\[\]…]|\.\.\.", " ", rest))[0]
    words, options = [], []
    for token in shlex.split(bare, comments=True):
        if token in ("|", ">", "&&", ";", "<"):
            break
        if token.startswith("-"):
            options.append(token.split("=")[0])
        else:
            words.append(token)
    return Typed(program, tuple(words), tuple(options))


_NAMED: Final = re.compile(r"(?<![\w/.-])(?<!the )connector (?=[a-z])([\w<>|= -]*)")
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")


def named_commands(source: str) -> Iterator[tuple[int, Typed]]:
    """Line and command of every `connector …` that a text in a Python file names; the product is "the connector".

    What is filled in counts as a value, and so does what follows the command in a sentence.
    """
    tree = ast.parse(source)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "VALUE" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            text = node.value
        else:
            continue
        for found in _NAMED.finditer(_PLACEHOLDER.sub("VALUE", text)):
            yield node.lineno, _split("connector", found[1].partition("\n")[0])


def dev_commands(source: str) -> set[str]:
    """The commands that dev.py knows, read from its table."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == "commands":
                return {str(key.value) for key in node.value.keys if isinstance(key, ast.Constant)}
    return set()


def forbidden_words(text: str) -> list[str]:
    """Words that a message to a bookkeeper must not hold."""
    return re.findall(r"\b(?:errors?|invalid|exception|traceback|stack trace|null|None)\b", text, re.IGNORECASE)
