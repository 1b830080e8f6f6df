"""File names from strangers, made fit for every system that the folder may be looked at from."""

import re
import unicodedata
from typing import Final

_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*]')
# Names that Windows keeps for devices, whatever follows the first point (Microsoft, "Naming files, paths, and
# namespaces").
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)
_LONGEST: Final = 120
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,10}$")


def safe_name(name: str) -> str:
    """One plain file name: no path, no control or direction characters, no reserved word, not long, never empty."""
    decoded = name.encode("utf-8", "replace").decode("utf-8")
    last = re.split(r"[/\\]", decoded)[-1]
    kept = "".join("_" if unicodedata.category(char)[0] == "C" else char for char in last)
    kept = _FORBIDDEN.sub("_", kept).strip(" .")
    suffix = _SUFFIX.search(kept)
    ending = suffix.group() if suffix else ""
    stem = kept[: len(kept) - len(ending)]
    while len((stem + ending).encode()) > _LONGEST:
        stem = stem[:-1]
    result = f"{stem.rstrip(' .')}{ending}" if stem.strip(" .") else f"file{ending}"
    return f"_{result}" if _RESERVED.match(result) else result


def numbered(name: str, count: int) -> str:
    """``invoice.xml`` as ``invoice (2).xml``."""
    suffix = _SUFFIX.search(name)
    ending = suffix.group() if suffix else ""
    return f"{name[: len(name) - len(ending)]} ({count}){ending}"
