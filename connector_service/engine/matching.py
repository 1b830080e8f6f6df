"""Names that mean the same: the form in which two spellings of one name are equal."""

import re
import unicodedata
from typing import Final

_BLANKS: Final = re.compile(r"\s+")


def normal(name: str) -> str:
    """A name without what people spell differently: case, accents, blanks, and "&" for "and"."""
    text = unicodedata.normalize("NFKD", name)
    text = "".join(char for char in text if not unicodedata.combining(char)).casefold()
    return _BLANKS.sub(" ", text.replace("&", " and ")).strip()
