"""What no text of the project may hold."""

import pytest

from tests.architecture.text_rules import text_faults
from tests.architecture.tree import ROOT, project_files

BINARY = {".png", ".ico", ".icns", ".pdf", ".xlsx", ".zip", ".db", ".woff2", ".gz"}


def test_nothing_unfinished_no_machine_path_no_registry() -> None:
    faults = []
    for path in project_files():
        if path.suffix.lower() in BINARY:
            continue
        name = path.relative_to(ROOT).as_posix()
        faults += text_faults(name, path.read_text(encoding="utf-8", errors="replace"))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # TO" + "DO: later",
        "FIX" + "ME",
        'HOME = "/ro' + 'ot/data"',
        "see /wo" + "rk/main for it",
        "/home/" + "jane/books",
        "cd /Users/" + "jane",
        "/tmp/ve" + "nv/bin/python",
        "--index-url https://py" + "pi.org/simple",
        "https://files.pythonho" + "sted.org/x",
        "http://deb.deb" + "ian.org/debian",
    ],
)
def test_text_checker_sees(line: str) -> None:
    assert len(text_faults("f", f"first\n{line}\n")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "a checklist done / todo / exempt",
        "https://example.com/work/orders",
        "/api/v1/work/3",
        "/home/you/books",
        "the package index",
        "networking/root/x",
    ],
)
def test_text_checker_allows(line: str) -> None:
    assert text_faults("f", line) == []
