"""Secrets from environment variables: ``CONNECTOR_SECRET_<ROUTE>_<NAME>``, upper case, ``-`` as ``_``."""

from collections.abc import Mapping, Sequence
from typing import Final

PREFIX: Final = "CONNECTOR_SECRET_"
"""What the name of each such variable begins with."""


def variable(route: str, name: str) -> str:
    """The variable that gives one secret; a secret of no route has no route in it."""
    parts = [route, name] if route else [name]
    return PREFIX + "_".join(parts).replace("-", "_").upper()


class EnvironmentSecrets:
    """Secrets for tests and servers; read only."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Look at ``environ`` at each call, so that a change counts at once."""
        self._environ = environ

    def get(self, route: str, name: str) -> str | None:
        """The secret, or ``None``; an empty variable is as good as none."""
        return self._environ.get(variable(route, name)) or None

    def variable_set(self, route: str, name: str) -> str | None:
        """The variable's name where it is set."""
        return variable(route, name) if self.get(route, name) is not None else None

    def names(self, route: str) -> Sequence[str]:
        """Names that variables give for a route, in lower case. Empty for no route: any variable could be meant."""
        start = variable(route, "")
        if not route:
            return []
        return [
            key.removeprefix(start).lower() for key, value in self._environ.items() if key.startswith(start) and value
        ]

    def values(self) -> Sequence[str]:
        """All secrets in the environment."""
        return [value for key, value in self._environ.items() if key.startswith(PREFIX) and value]
