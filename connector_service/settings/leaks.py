"""Finds secrets that somebody wrote into the settings file, so that they are refused before they are used or copied."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

from connector_service.settings.faults import Fault
from connector_service.settings.reading import Place

# What ends like one of these is a secret in every system that we know of; token_url and the like are addresses.
_SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:password|passwd|pwd|passphrase|secret|token|api_?key|apikey|private_?key|subscription_?key|access_?key"
    r"|credentials?)$"
)
# Names that every system keeps in the vault, though they are not secret by themselves.
_KEPT_WITH_SECRETS: Final = frozenset({"client_id", "username"})
_IN_QUERY: Final = re.compile(
    r"(?i)(?:^|[?&;\s{])(?:password|passwd|pwd|api[_-]?key|subscription[_-]?key|client[_-]?secret|access[_-]?token|token"
    r"|secret|sig)\s*=\s*([^;&]*)"
)
_PLACEHOLDER: Final = re.compile(r"^\{+[a-z][a-z0-9_]*\}+$")


def looks_secret(name: str) -> bool:
    """Whether a key has the name of something that belongs in the vault."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    return plain in _KEPT_WITH_SECRETS or _SECRET_NAME.search(plain) is not None


def secret_faults(
    route: str, section: str, content: Mapping[str, Any], declared: Collection[str], known: Collection[str]
) -> Iterator[tuple[Place, Fault]]:
    """Secrets in a ``source`` or ``target`` section.

    ``declared`` are the secrets of the system, ``known`` its plain fields: what it declares as plain is believed.
    """
    for key, value in content.items():
        place = ("routes", route, section, key)
        if key in declared or (looks_secret(key) and key not in known):
            yield place, _fault(place, f'"{key}" is kept in the vault.', route, key)
        elif isinstance(value, str) and has_secret(value):
            what = f'"{key}" holds a password or key.'
            fault = _fault(place, what, route, "password")
            yield place, Fault(fault.place, what, fault.why, f"Write {{password}} in its place, then: {fault.fix}")


def has_secret(url: str) -> bool:
    """Whether an address has a password or a key in it that is not a placeholder such as ``{password}``."""
    password: str | None
    try:
        password = urlsplit(url).password
    except ValueError:
        # Not an address that can be taken apart; what stands before @ may still be one.
        found = re.search(r"://[^/@]*:([^@]*)@", url)
        password = found[1] if found else None
    if "://" in url and "@" in url and password is None:
        # A password with / or # in it hides from the parser.
        found = re.search(r"://[^/@:]*:([^@]*)@", url)
        password = found[1] if found and not re.match(r"\d+(?:/|$)", found[1]) else None
    if password and not _PLACEHOLDER.match(unquote_plus(password)):
        return True
    text = unquote_plus(url)
    return any(value and not _PLACEHOLDER.match(value.strip()) for value in _IN_QUERY.findall(text))


def _fault(place: Place, what: str, route: str, name: str) -> Fault:
    return Fault(
        ".".join(place),
        what,
        "Secrets are never in the settings file: it is copied, mailed and backed up.",
        f"Remove it from the file and run: connector secret set {route} {name}. If others"
        " may have seen the file, change the secret.",
    )
