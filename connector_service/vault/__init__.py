"""Where secrets live: the operating system's key store first, a restricted file as declared fallback.

``open_vault`` is all that the rest of the product needs.
"""

from connector_service.vault.choice import CHOICE_VARIABLE, OpenedVault, open_vault

__all__ = ["CHOICE_VARIABLE", "OpenedVault", "open_vault"]
