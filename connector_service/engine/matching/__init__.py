"""Names that mean the same: equal spellings, names without their legal forms, and suggestions with a reason.

Here stand the two forms of a name. ``suggest``, ``index`` and ``auto`` load a library for fuzzy comparison and are
imported by who needs them.
"""

from connector_service.engine.matching.legal import core
from connector_service.engine.matching.spelling import normal

__all__ = ["core", "normal"]
