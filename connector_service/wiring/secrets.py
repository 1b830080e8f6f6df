"""The secrets that a route's systems want, and which of them are there."""

from collections.abc import Iterator
from dataclasses import dataclass

from connector_service.contract import registry
from connector_service.contract.manifest import SecretField
from connector_service.domain.problems import ConnectorError, NeedsUser, SettingsFault
from connector_service.settings import Route
from connector_service.vault.choice import OpenedVault


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that a system of a route declares, or one that is stored without being declared."""

    name: str
    help: str
    required: bool
    stored: bool
    variable: str | None
    """The environment variable that gives it, where one does."""


def declared(route: Route) -> dict[str, SecretField]:
    """The secrets that the two systems of a route declare, by name."""
    source = registry.source_manifest(route.source.system).secrets
    target = registry.target_manifest(route.target.system).secrets
    found: dict[str, SecretField] = {}
    for one in (*source, *target):
        if one.name not in found or one.required:
            found[one.name] = one
    return found


def listed(name: str, route: Route, vault: OpenedVault) -> Iterator[Secret]:
    """Every secret that a route has or could have; never a value."""
    known, there = declared(route), set(vault.names(name))
    for one in sorted(known.keys() | there):
        field = known.get(one)
        text = field.help if field else "No system of this route asks for it."
        variable = vault.overriding_variable(name, one)
        yield Secret(one, text, bool(field and field.required), one in there, variable)


def missing(name: str, route: Route, vault: OpenedVault) -> list[ConnectorError]:
    """A fault for each required secret that is not there."""
    return [
        NeedsUser(
            f'The secret "{one.name}" of route "{name}" is not stored yet.',
            why=one.help,
            fix=f"Store it: `connector secret set {name} {one.name}`.",
            code="SIGN_IN_NEEDED",
        )
        for one in listed(name, route, vault)
        if one.required and not one.stored
    ]


def refuse_unknown(name: str, route: Route, secret: str) -> None:
    """Raise ``SettingsFault`` for a secret that no system of the route declares."""
    known = declared(route)
    if secret in known:
        return
    names = ", ".join(sorted(known))
    raise SettingsFault(
        f'The systems of route "{name}" ask for no secret "{secret}".',
        why=f"They know: {names}." if names else "They ask for none at all.",
        fix=f"See `connector secret list {name}`.",
        code="SETTINGS_WRONG",
    )
