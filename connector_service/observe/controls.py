"""Characters that must not reach a terminal: a name from elsewhere must neither steer it nor forge a line."""

import re
from typing import Final

CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line break, line separators, marks that turn the text's direction, half characters."""
