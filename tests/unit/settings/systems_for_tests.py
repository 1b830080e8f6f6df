"""Two sources and two targets that declare differently much."""

from connector_service.contract.manifest import Limits, SecretField, SettingField, SourceManifest, TargetManifest
from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.problems import SettingsFault
from connector_service.domain.reference import ReferenceKind
from connector_service.settings import Systems

_SOURCES = {
    "sql": SourceManifest(
        system="sql",
        title="SQL database",
        summary="",
        kinds=frozenset(Kind),
        mark_paid=True,
        write_parties=frozenset({PartyKind.CUSTOMER}),
        alternatives=frozenset({"packing_list"}),
        settings=(SettingField("url", "Address.", required=True), SettingField("profile", "Profile.", required=True)),
        secrets=(SecretField("username", "User."), SecretField("password", "Password.")),
    ),
    "clock": SourceManifest(
        system="clock",
        title="Time clock",
        summary="",
        kinds=frozenset({Kind.TIME_RECORD}),
        settings=(
            SettingField("terminal_number", "Which terminal.", default="7"),
            SettingField("page_token", "Plain."),
        ),
        secrets=(SecretField("pin", "Code of the terminal."),),
    ),
}
_TARGETS = {
    "journal": TargetManifest(
        system="journal",
        title="Embedded books",
        summary="",
        kinds=frozenset(Kind),
        settings=(SettingField("company", "A folder.", default="books"),),
        limits=Limits(batch_size=100),
    ),
    "quickbooks_online": TargetManifest(
        system="quickbooks_online",
        title="QuickBooks Online",
        summary="",
        kinds=frozenset(Kind) - {Kind.TIME_RECORD},
        update=True,
        void=True,
        payments=True,
        locked_until=True,
        write_parties=frozenset(PartyKind),
        write_reference=frozenset({ReferenceKind.ITEM}),
        settings=(SettingField("company", "Id.", required=True), SettingField("port", "Listener.")),
        secrets=(SecretField("client_id", "App."), SecretField("client_secret", "App.")),
        limits=Limits(batch_size=30),
    ),
}


def _source(system: str) -> SourceManifest:
    if system not in _SOURCES:
        raise SettingsFault(f"no {system}")
    return _SOURCES[system]


def _target(system: str) -> TargetManifest:
    if system not in _TARGETS:
        raise SettingsFault(f"no {system}")
    return _TARGETS[system]


SYSTEMS = Systems(_SOURCES, _TARGETS, _source, _target)

SMALL = """\
[routes.main.source]
system = "sql"
url = "sqlite:///shop.db"
profile = "shop.toml"

[routes.main.target]
system = "journal"
"""
