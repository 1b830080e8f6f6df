"""Reads a settings file and judges all of it at once."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from connector_service.settings.explain import faults_of
from connector_service.settings.faults import Fault, SettingsFaults
from connector_service.settings.needs import option_faults
from connector_service.settings.reading import Place, decode, line_at, lines_of, parse, read_bytes
from connector_service.settings.schema import Settings
from connector_service.settings.systems import (
    Systems,
    route_name_faults,
    section_faults,
    section_texts,
    unused_keys,
)
from connector_service.settings.upgrade import RENAMED, upgrade


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that fit, and what was read in another way than it was written."""

    settings: Settings
    notices: tuple[str, ...]
    systems: Systems

    def timezone(self, route: str = "") -> tzinfo:
        """The zone in which a route's instants become dates: its source's, else the service's, else the computer's."""
        own = self.settings.routes[route].source.timezone if route else ""
        name = own or self.settings.service.timezone
        if name:
            return ZoneInfo(name)
        from tzlocal import get_localzone  # asks the system; only where no zone is set

        return get_localzone()

    def source_section(self, route: str) -> dict[str, str]:
        """A route's source as its system is given it; every value a text."""
        section = self.settings.routes[route].source
        return section_texts(section, self.systems.source(section.system).settings)

    def target_section(self, route: str) -> dict[str, str]:
        """A route's target as its system is given it; every value a text."""
        section = self.settings.routes[route].target
        return section_texts(section, self.systems.target(section.system).settings)


def load(file: Path, systems: Systems | None = None, *, renamed: Mapping[str, str] = RENAMED) -> Loaded:
    """The settings in a file; those of a file that is not there are the defaults, without a route.

    Raises ``SettingsFaults`` with everything that does not fit, ``NeedsUser`` where the file cannot be read.
    """
    return judge(decode(read_bytes(file), str(file)), str(file), systems, renamed=renamed)


def judge(text: str, name: str, systems: Systems | None = None, *, renamed: Mapping[str, str] = RENAMED) -> Loaded:
    """The settings in a text; ``name`` is the file that the faults speak of. Raises ``SettingsFaults``."""
    systems = systems or Systems.registered()
    tables = parse(text, name)
    notices, found = upgrade(tables, renamed)
    settings, schema_faults = _validate(tables)
    found += schema_faults
    found += _route_faults(tables, settings, systems)
    if found or settings is None:
        lines = lines_of(text)
        once = {(place, fault.what): fault.at(line_at(lines, place)) for place, fault in reversed(found)}
        raise SettingsFaults(name, reversed(once.values()))
    for route, content in settings.routes.items():
        for role, section, fields in (
            ("source", content.source, systems.source(content.source.system).settings),
            ("target", content.target, systems.target(content.target.system).settings),
        ):
            notices += [
                f'"routes.{route}.{role}.{key}" is set, but {section.system} does not use it.'
                for key in unused_keys(section, fields)
            ]
    return Loaded(settings, tuple(notices), systems)


def _validate(tables: dict[str, Any]) -> tuple[Settings | None, list[tuple[Place, Fault]]]:
    """The settings without what the schema refuses, so that the rest can be judged too, and what it refuses."""
    try:
        return Settings.model_validate(tables), []
    except ValidationError as error:
        found = faults_of(error)
        rest = copy.deepcopy(tables)
        for detail in error.errors(include_url=False):
            place = tuple(str(part) for part in detail["loc"] if isinstance(part, str))
            # A key that must be there cannot be left out: its whole route is.
            needed = detail["type"] == "missing" or place[2:] in (("source",), ("target",)) or place[3:] == ("system",)
            _prune(rest, place[:2] if needed else place)
        try:
            return Settings.model_validate(rest), found
        except ValidationError:
            return None, found


def _prune(tables: dict[str, Any], place: Place) -> None:
    inner: Any = tables
    for key in place[:-1]:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(place[-1], None)


def _route_faults(tables: dict[str, Any], settings: Settings | None, systems: Systems) -> list[tuple[Place, Fault]]:
    routes = tables.get("routes")
    if not isinstance(routes, dict):
        return []
    found = list(route_name_faults(routes))
    for name, content in routes.items():
        if isinstance(content, dict):
            found += section_faults(name, content, systems)
    for name, route in (settings.routes if settings else {}).items():
        found += option_faults(name, route, systems)
    return found
