"""Every system has the same shape, and the registry knows exactly those that have a folder."""

import ast
from pathlib import Path
from typing import Final

import pytest

from connector_service.contract import registry
from tests.architecture.tree import ROOT

FILES: Final = frozenset({"manifest.py", "wire.py", "mapping.py", "client.py", "adapter.py", "NOTES.md"})

# A file that a system does without, and why.
EXEMPT: Final[dict[tuple[str, str], str]] = {}

SIDES: Final = {"sources": registry.SOURCES, "targets": registry.TARGETS}


def folders(parent: Path) -> set[str]:
    """The systems that have a folder with code."""
    return {path.name for path in parent.iterdir() if any(path.glob("*.py"))} - {"shared"} if parent.is_dir() else set()


def shape_faults(folder: Path, exempt: dict[tuple[str, str], str]) -> list[str]:
    """What a system's folder lacks, and exemptions that it does not need."""
    here = {path.name for path in folder.iterdir()}
    side = f"{folder.parent.name}.{folder.name}"
    excused = {name for system, name in exempt if system == side}
    faults = [f"{side} has no {name}" for name in sorted(FILES - here - excused)]
    return faults + [f"{side} has {name}, though it is listed as exempt" for name in sorted(excused & here)]


@pytest.mark.parametrize("side", SIDES)
def test_registry_equals_folders(side: str) -> None:
    known = SIDES[side]
    assert set(known) == folders(ROOT / "connector_service" / side)
    assert {name: f"connector_service.{side}.{name}" for name in known} == known


@pytest.mark.parametrize("side", SIDES)
def test_every_system_has_the_same_files(side: str) -> None:
    parent = ROOT / "connector_service" / side
    faults = [fault for name in sorted(folders(parent)) for fault in shape_faults(parent / name, EXEMPT)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("side", SIDES)
def test_manifest_names_its_own_system_and_adapter_opens_it(side: str) -> None:
    read, opener = (
        (registry.source_manifest, "open_source") if side == "sources" else (registry.target_manifest, "open_target")
    )
    for name, module in SIDES[side].items():
        assert read(name).system == name
        adapter = ROOT.joinpath(*module.split("."), "adapter.py")
        assert adapter.is_file(), f"{module} has no adapter.py"
        assert f"def {opener}(" in adapter.read_text(encoding="utf-8")


def address_faults(module: str, source: str) -> list[str]:
    """Web addresses that the code holds as values; names of XML vocabularies begin with http: or urn:."""
    return [
        f"{module}:{node.lineno} holds {node.value}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("https://")
    ]


@pytest.mark.parametrize("side", SIDES)
def test_only_the_client_knows_addresses(side: str) -> None:
    faults = [
        fault
        for name in folders(ROOT / "connector_service" / side)
        for path in (ROOT / "connector_service" / side / name).glob("*.py")
        if path.name not in ("client.py", "manifest.py")
        for fault in address_faults(f"{side}.{name}.{path.stem}", path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n".join(faults)


def test_address_checker_sees_values_and_leaves_documentation_alone() -> None:
    assert address_faults("m", 'URL = "https://api.example.com"')
    assert address_faults("m", 'URL = f"https://{host}/v1"')
    assert address_faults("m", '"""See https://example.com."""\n# https://example.com\nNS = "urn:x"') == []


def test_notes_say_what_is_done_and_what_not() -> None:
    for side in SIDES:
        for name in folders(ROOT / "connector_service" / side):
            notes = ROOT / "connector_service" / side / name / "NOTES.md"
            if notes.exists():
                assert "done" in notes.read_text(encoding="utf-8").lower(), f"{notes.name} of {name} has no checklist"


def test_shape_checker_sees_a_missing_file(tmp_path: Path) -> None:
    folder = tmp_path / "targets" / "shop"
    folder.mkdir(parents=True)
    for name in FILES - {"wire.py"}:
        (folder / name).touch()
    assert shape_faults(folder, {}) == ["targets.shop has no wire.py"]
    assert shape_faults(folder, {("targets.shop", "wire.py"): "no payloads"}) == []
    assert shape_faults(folder, {("targets.shop", "wire.py"): "-", ("targets.shop", "client.py"): "-"}) == [
        "targets.shop has client.py, though it is listed as exempt"
    ]
