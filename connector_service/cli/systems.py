"""``connector systems``: what each system can do."""

from dataclasses import fields
from enum import Enum
from typing import Any, Final

import typer

from connector_service.cli.faults import DONE
from connector_service.cli.groups import command, new_app
from connector_service.cli.session import session_of

app: typer.Typer = new_app()

# What a person chooses a system by. The other things that a manifest declares are for the program: see --json.
_ABLE: Final = {
    "incremental": "read only what has changed",
    "mark_exported": "mark records as exported",
    "mark_paid": "mark documents as paid",
    "number_lookup": "look documents up by number",
    "void": "void documents",
    "delete": "delete documents",
    "update": "change documents",
    "attach": "attach files",
    "payments": "tell payments",
    "multi_currency": "book in several currencies",
}


@command(app)
def systems(ctx: typer.Context) -> int:
    """Show the systems that a route can name, and what each can do."""
    from connector_service.contract import registry
    from connector_service.domain.messages import KIND_WORDS

    session = session_of(ctx)
    found = [("source", registry.source_manifest(name)) for name in sorted(registry.SOURCES)]
    targets = [("target", registry.target_manifest(name)) for name in sorted(registry.TARGETS)]
    every: list[tuple[str, Any]] = [*found, *targets]
    if session.as_json:
        session.out.listed([{"role": role, **_plain(manifest)} for role, manifest in every], None)
        return DONE
    for role, manifest in every:
        session.out.say(f"{role.capitalize()} {manifest.system}: {manifest.title}. {manifest.summary}")
        kinds = [KIND_WORDS[kind][1] for kind in KIND_WORDS if kind in manifest.kinds]
        session.out.say(f"  Documents: {', '.join(kinds)}.")
        able = [words for name, words in _ABLE.items() if getattr(manifest, name, False) is True]
        if able:
            session.out.say(f"  Can: {', '.join(able)}.")
        for setting in manifest.settings:
            needed = " (needed)" if setting.required else ""
            session.out.say(f"  Setting {setting.name}{needed}: {setting.help}")
        for secret in manifest.secrets:
            needed = " (needed)" if secret.required else ""
            session.out.say(f"  Secret {secret.name}{needed}: {secret.help}")
        session.out.say()
    return DONE


def _plain(value: Any) -> Any:
    """A manifest as JSON: enumerations by value, sets sorted."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(map(_plain, value))
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
