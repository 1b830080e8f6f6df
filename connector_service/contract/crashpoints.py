"""Named places at which a test can end the process, as a power cut would."""

import os
from typing import Final

_ARMED: Final = os.environ.get("CONNECTOR_CRASH_AT", "")
_name, _, _count = _ARMED.partition(":")
_left = int(_count) if _count.isdigit() else 1

KILLED: Final = 137
"""Exit status of a process ended here: what a shell reports for kill -9."""


def crash_point(name: str) -> None:
    """End the process at once if ``CONNECTOR_CRASH_AT`` is this name (``name:3``: at its third passing); else do nothing."""
    global _left
    if _name and name == _name:
        _left -= 1
        if _left <= 0:
            os._exit(KILLED)
