"""What the engine and the systems need of the place where secrets are kept."""

from collections.abc import Sequence
from typing import Protocol


class Vault(Protocol):
    """Secrets by route and name. ``route`` is empty for the product's own secrets."""

    def get(self, route: str, name: str) -> str | None:
        """The secret, or ``None``."""
        ...

    def set(self, route: str, name: str, value: str) -> None:
        """Store a secret; it is durable when this returns."""
        ...

    def remove(self, route: str, name: str) -> bool:
        """Forget a secret; whether there was one."""
        ...

    def names(self, route: str) -> Sequence[str]:
        """Names of the secrets stored for a route."""
        ...
