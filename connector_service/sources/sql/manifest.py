"""What the source ``sql`` declares."""

from typing import Final

from connector_service.contract.manifest import SecretField, SettingField, SourceManifest
from connector_service.domain.kinds import Kind, PartyKind

MANIFEST: Final = SourceManifest(
    system="sql",
    title="SQL database",
    summary="Any database by its address and a profile: SQLite, PostgreSQL, MySQL, MariaDB, SQL Server, other ODBC.",
    kinds=frozenset(Kind),
    party_kinds=frozenset(PartyKind),
    incremental=True,
    by_window=True,
    probe=True,
    mark_exported=True,
    mark_paid=True,
    alternatives=frozenset({"packing_list", "receiver"}),
    settings=(
        SettingField(
            "url",
            "Address of the database, such as sqlite:///shop.db or postgresql://{username}:{password}@host/shop; "
            "{username} and {password} come from the secrets, and a relative SQLite file lies in the data folder.",
            required=True,
        ),
        SettingField("profile", "Profile that says how records are read: a name or a file.", required=True),
    ),
    secrets=(
        SecretField("username", "User of the database, where the address says {username}."),
        SecretField("password", "Password of that user."),
    ),
)
"""A profile may narrow it: kinds and marks are those that the profile has a table or a statement for."""
