"""The systems that exist. Adding one adds a line here and a folder; modules are loaded when a route asks for them."""

from dataclasses import dataclass
from datetime import tzinfo
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, cast

from connector_service.contract.manifest import SourceManifest, TargetManifest
from connector_service.contract.source import Source
from connector_service.contract.target import Target
from connector_service.contract.vault import Vault
from connector_service.domain.kinds import Kind
from connector_service.domain.problems import SettingsFault

SOURCES: Final[dict[str, str]] = {
    "folder": "connector_service.sources.folder",
    "sql": "connector_service.sources.sql",
}
"""Source systems by name, with the package that holds each."""

TARGETS: Final[dict[str, str]] = {
    "journal": "connector_service.targets.journal",
}
"""Target systems by name, with the package that holds each."""


class Surroundings(Protocol):
    """What a system is given besides its section of the settings."""

    @property
    def route(self) -> str:
        """Name of the route."""
        ...

    @property
    def home(self) -> Path:
        """The data folder; relative paths in settings are relative to it."""
        ...

    @property
    def vault(self) -> Vault:
        """Where the secrets are."""
        ...

    @property
    def timezone(self) -> tzinfo:
        """The zone in which the source's instants become dates."""
        ...

    @property
    def alternatives(self) -> dict[str, str]:
        """What documents are made from where it is not the kind's own record: ``{"sales_invoice": "packing_list"}``."""
        ...

    @property
    def items(self) -> frozenset[Kind]:
        """The kinds of documents that the route moves."""
        ...

    @property
    def peek(self) -> bool:
        """Whether the source must leave everything where it is: for a preview."""
        ...

    def find_profile(self, name: str) -> Path:
        """The file of a profile, by name or path; raises ``SettingsFault``."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """A plain ``Surroundings``."""

    route: str
    home: Path
    vault: Vault
    timezone: tzinfo
    alternatives: dict[str, str]
    profile_folders: tuple[Path, ...] = ()
    """Where the profiles lie that came with the product."""
    peek: bool = False
    items: frozenset[Kind] = frozenset(Kind)

    def find_profile(self, name: str) -> Path:
        """Look beside the settings first, then among the shipped profiles; ``.toml`` may be left out."""
        for folder in (self.home, *self.profile_folders):
            given = folder / Path(name).expanduser()
            for candidate in (given, given.with_name(f"{given.name}.toml")):
                if name and candidate.is_file():
                    return candidate
        shipped = sorted(file.stem for folder in self.profile_folders for file in folder.glob("*.toml"))
        raise SettingsFault(
            f'There is no profile "{name}".',
            why=f"It is neither in {self.home} nor among those that came with the product"
            f" ({', '.join(shipped) or 'none'}).",
            fix="Give the name of one of these, or the path of a profile file, relative to the data folder.",
            code="SETTINGS_WRONG",
        )


def _module(systems: dict[str, str], role: str, system: str, part: str) -> Any:
    if system not in systems:
        raise SettingsFault(
            f"There is no {role} system {system!r}.",
            why=f"Known are: {', '.join(sorted(systems))}.",
            fix="See `connector systems` for what each can do.",
            code="SETTINGS_WRONG",
        )
    return import_module(f"{systems[system]}.{part}")


def source_manifest(system: str) -> SourceManifest:
    """What a source system declares; raises ``SettingsFault`` for a name that is not known."""
    return cast(SourceManifest, _module(SOURCES, "source", system, "manifest").MANIFEST)


def target_manifest(system: str) -> TargetManifest:
    """What a target system declares; raises ``SettingsFault`` for a name that is not known."""
    return cast(TargetManifest, _module(TARGETS, "target", system, "manifest").MANIFEST)


def open_source(system: str, section: dict[str, str], surroundings: Surroundings) -> Source:
    """Make a route's source from its section of the settings; each system's ``adapter`` module has ``open_source``."""
    return cast(Source, _module(SOURCES, "source", system, "adapter").open_source(section, surroundings))


def open_target(system: str, section: dict[str, str], surroundings: Surroundings) -> Target:
    """Make a route's target from its section of the settings; each system's ``adapter`` module has ``open_target``."""
    return cast(Target, _module(TARGETS, "target", system, "adapter").open_target(section, surroundings))
