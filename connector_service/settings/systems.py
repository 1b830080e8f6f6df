"""What depends on the systems of a route: which there are, and their own keys, required fields and secrets."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from connector_service.contract import registry
from connector_service.contract.manifest import SettingField, SourceManifest, TargetManifest
from connector_service.nearest import did_you_mean
from connector_service.settings.explain import unknown_key
from connector_service.settings.faults import Fault
from connector_service.settings.leaks import secret_faults
from connector_service.settings.reading import Place
from connector_service.settings.schema import Source, SystemSection, Target

Found: TypeAlias = tuple[Place, Fault]
"""A fault and the key that it is about."""
_ROUTE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)
# Names of devices, which Windows takes for no file of ours (Microsoft, "Naming files, paths and namespaces").
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Systems:
    """The systems that routes may name, and what each declares."""

    sources: Collection[str]
    targets: Collection[str]
    source: Callable[[str], SourceManifest]
    target: Callable[[str], TargetManifest]

    @classmethod
    def registered(cls) -> "Systems":
        """Those of the registry; a manifest is loaded when a route names its system."""
        return cls(registry.SOURCES, registry.TARGETS, registry.source_manifest, registry.target_manifest)


def route_name_faults(names: Collection[str]) -> Iterator[Found]:
    """Route names become parts of variables and file names, so they are plain, and differ there too."""
    taken: dict[str, str] = {}
    for name in names:
        place, dotted = ("routes", name), f"routes.{name}"
        if not _ROUTE_NAME.fullmatch(name) or _DEVICES.fullmatch(name):
            why = "It becomes part of file names and of environment variables."
            fix = "Use letters, digits, _ and -, beginning with a letter or digit, 40 at most, and no name of a device."
            yield place, Fault(dotted, f'"{name}" cannot be the name of a route.', why, fix)
        twin = taken.setdefault(name.lower().replace("-", "_"), name)
        if twin != name:
            why = "Capitals, _ and - make no difference in the names of files and variables."
            yield (
                place,
                Fault(dotted, f'"{name}" and "{twin}" are the same name.', why, "Give one of them another name."),
            )


def section_faults(route: str, raw: Mapping[str, Any], systems: Systems) -> Iterator[Found]:
    """Unknown systems and keys, missing fields and secrets in a route's ``source`` and ``target``, as written."""
    for role, model in (("source", Source), ("target", Target)):
        section = raw.get(role)
        if isinstance(section, Mapping):
            yield from _section_faults(route, role, model, section, systems)


def section_texts(section: SystemSection, fields: Collection[SettingField]) -> dict[str, str]:
    """A section as a system is given it: every value a text, empty where nothing is set, with the system's defaults."""
    values: dict[str, Any] = {**{field.name: "" for field in fields}, **section.model_dump()}
    texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}
    return {**texts, **{field.name: field.default for field in fields if not texts[field.name]}}


def unused_keys(section: SystemSection, fields: Collection[SettingField]) -> list[str]:
    """Common keys that are set though the system does not use them."""
    used = {"system", "timezone", *(field.name for field in fields)}
    return [key for key in type(section).model_fields if key not in used and getattr(section, key)]


def _section_faults(
    route: str, role: str, model: type[SystemSection], section: Mapping[str, Any], systems: Systems
) -> Iterator[Found]:
    at, system = ("routes", route, role), section.get("system")
    names = systems.sources if role == "source" else systems.targets
    common = list(model.model_fields)
    fields: Collection[SettingField] | None = None
    secrets: list[str] = []
    if isinstance(system, str) and system in names:
        manifest = systems.source(system) if role == "source" else systems.target(system)
        fields, secrets = manifest.settings, [secret.name for secret in manifest.secrets]
    elif isinstance(system, str):
        what, why = f'There is no {role} system "{system}".', "Only systems that came with the product can be used."
        yield (*at, "system"), Fault(".".join((*at, "system")), what, why, did_you_mean(system, names))
    known = [*common, *(field.name for field in fields or ())]
    leaked = dict(secret_faults(route, role, section, secrets, known))
    yield from leaked.items()
    for key, value in section.items():
        place = (*at, key)
        if place in leaked or key in common:
            continue
        if fields is not None and key not in known:
            yield place, unknown_key(place, known)
        elif not isinstance(value, (str, int)):
            what, why = (
                f'The value of "{key}" is neither text nor number.',
                f"{key} is a text, a number, true or false.",
            )
            yield place, Fault(".".join(place), what, why, f'Write it like {key} = "…".')
    for field in fields or ():
        if field.required and section.get(field.name, field.default) == "":
            place = (*at, field.name)
            yield place, Fault(
                ".".join(place), f'"{field.name}" is not set.', f"{system} needs it: {field.help}",
                f'Add {field.name} = "…" to [{".".join(at)}].',
            )  # fmt: skip
