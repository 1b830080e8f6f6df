"""The locks: exact, hashed, from no named place, and in step with the project file."""

import re
import tomllib

import pytest

from tests.architecture.tree import ROOT

NAMES = ("runtime", "dev", "build")
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)(?:\[[a-z,]+\])?==([^\s;]+)(?: ; (.+?))? \\$")


def lock_faults(text: str) -> list[str]:
    """Lines of a lock that are not an exact version with hashes."""
    faults, open_pin = [], ""
    for line in text.splitlines():
        if line.startswith("    --hash=sha256:"):
            open_pin = ""
        elif PIN.match(line):
            faults += [f"{open_pin} has no hash"] if open_pin else []
            open_pin = line
        elif not line.startswith("#"):
            faults.append(f"not an exact version with hashes: {line}")
    return faults + ([f"{open_pin} has no hash"] if open_pin else [])


def pins(name: str) -> dict[str, set[str]]:
    """Names and versions in a lock; a name may have one version for each of several markers."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        match = PIN.match(line)
        if match:
            found.setdefault(match[1], set()).add(match[2])
    return found


def wanted(requirements: list[object]) -> set[str]:
    """The names in a list of requirements, spelled as the locks spell them."""
    names = [re.match(r"[A-Za-z0-9._-]+", item) for item in requirements if isinstance(item, str)]
    return {re.sub(r"[._-]+", "-", match.group()).lower() for match in names if match}


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_an_exact_version_with_hashes(name: str) -> None:
    assert lock_faults((ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")) == []


def test_locks_hold_what_the_project_file_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert wanted(project["project"]["dependencies"]) <= pins("runtime").keys()
    assert wanted(project["dependency-groups"]["dev"]) <= pins("dev").keys()
    assert wanted(project["dependency-groups"]["build"]) <= pins("build").keys()


def test_locks_agree_with_each_other() -> None:
    dev = pins("dev")
    for name in ("runtime", "build"):
        assert {key: value for key, value in pins(name).items() if dev.get(key) != value} == {}


@pytest.mark.parametrize(
    "text",
    [
        "wheel>=1 \\\n    --hash=sha256:00\n",
        "wheel==1 \\\n",
        "wheel==1 \\\nhatch==2 \\\n    --hash=sha256:00\n",
        "--index-url https://example.com\n",
        "wheel @ https://example.com/wheel.whl\n",
    ],
)
def test_lock_checker_sees(text: str) -> None:
    assert len(lock_faults(text)) == 1 or "not an exact" in lock_faults(text)[0]


def test_lock_checker_allows_markers() -> None:
    assert lock_faults("# head\ncffi==2.1.1 ; sys_platform == 'linux' \\\n    --hash=sha256:00\n") == []
