"""Raw values as drivers, CSV files and workbooks give them, turned into the domain's types. Nothing is guessed.

Each function here makes a converter for one column, which takes any raw value and raises ``BadValueError``. An empty
text is nothing, as a missing value is.

Floats. A binary float is read as the shortest decimal that names it (``repr``), never as its binary expansion. Money is
then rounded half up at the currency's minor units; other numbers are cut to the 15 digits that a double surely holds
(DBL_DIG, C11 5.2.4.2.2), so that 0.30000000000000004 is 0.3.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias
from uuid import UUID

Converter: TypeAlias = Callable[[Any], Any]


class Column:
    """What turns the raw values of one column into the domain's type: one at a time, or many with one look at them.

    ``quick`` has a faster way for raw values of certain types; it may fail on what ``one`` would take or explain, in
    which case the values are to be converted one by one. It may let ``None`` through where there must be a value, which
    the record's constructor then refuses; ``must_text`` says that an empty text is to be refused here.
    """

    __slots__ = ("must_text", "one", "quick")

    def __init__(self, one: Converter, quick: Mapping[type, Converter | None], must_text: bool = False) -> None:
        self.one = one
        self.quick = quick
        self.must_text = must_text

    def __call__(self, value: Any) -> Any:
        """One value; raises ``BadValueError``."""
        return self.one(value)

    def many(self, cells: Sequence[Any]) -> Sequence[Any]:
        """Many values; raises ``BadValueError`` or ``KeyError`` if one of them cannot be converted."""
        ways = {self.quick.get(kind, self.one) for kind in set(map(type, cells))}
        if len(ways) == 1:
            convert = ways.pop()
            if convert is None:
                return cells
            made = list(map(convert, cells))
            if self.must_text and "" in made:
                raise BadValueError(_EMPTY)
            return made
        return list(map(self.one, cells))


_CACHED: Final = 8192
_SURE: Final = 1e11
_LARGEST: Final = 1e20
_NONE: Final = type(None)
_PLAIN: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_GROUPED: Final[dict[str, re.Pattern[str]]] = {
    mark: re.compile(
        rf"[+-]?(?:\d+|\d{{1,3}}([{other} '’\u00a0\u202f])\d{{3}}(?:\1\d{{3}})*)(?:{re.escape(mark)}\d*)?", re.ASCII
    )
    for mark, other in ((".", ","), (",", "."))
}
_DURATION: Final = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the source's own clock, no zone is applied to it
_NO_DATE: Final = "0000-00-00"
_YES: Final = (True, "1", "true", "True", "TRUE", "t", "T", "yes", "Yes", "YES", "y", "Y", b"\x01", b"1")
_NO: Final = (False, "0", "false", "False", "FALSE", "f", "F", "no", "No", "NO", "n", "N", b"\x00", b"0")
_FLAGS: Final[dict[object, bool]] = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}


_EMPTY: Final = "is empty, and must have a value"


class _Memory(dict[Any, Any]):
    """Remembers what values were turned into, at less than ``lru_cache`` costs where most values are new."""

    __slots__ = ("_convert",)

    def __init__(self, convert: Converter) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        made = self._convert(value)
        if len(self) >= _CACHED:
            self.clear()
        self[value] = made
        return made


class BadValueError(ValueError):
    """A raw value cannot be what its column should hold. The text ends a sentence: "is not a date: 'x'"."""

    def __init__(self, what: str, fix: str = "") -> None:
        """Keep what is wrong, and the way out where there is a special one."""
        self.what = what
        self.fix = fix
        super().__init__(what)


def shown(value: object) -> str:
    """A raw value as a message shows it: short, with quotes around a text."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def is_nothing(value: object) -> bool:
    """Whether a raw value stands for a missing one."""
    return value is None or (type(value) is str and not value.strip())


def as_text(value: Any) -> str:
    """A text without blanks around it; whole numbers as digits, so that key 1001.0 of a workbook is 1001."""
    if type(value) is str:
        return value.strip()
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    if isinstance(value, float | Decimal):
        return _digits(value)
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode().strip()
        except UnicodeDecodeError:
            raise BadValueError(f"is not text in UTF-8: {shown(bytes(value))}") from None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise BadValueError(f"is not a text: {shown(value)}")


def _digits(value: float | Decimal) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if not number.is_finite():
        raise BadValueError(f"is not a finite number: {shown(value)}")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def needed(column: Column) -> Column:
    """The same for a column that must have a value."""
    convert = column.one

    def required(value: Any) -> Any:
        if value is None or value == "":
            raise BadValueError(_EMPTY)
        result = convert(value)
        if result is None or result == "":
            raise BadValueError(_EMPTY)
        return result

    return Column(required, column.quick, must_text=column.quick.get(str) is str.strip)


def text_column() -> Column:
    """Texts, see ``as_text``."""
    return Column(as_text, {str: str.strip, int: str})


def currency_of(default: str) -> Column:
    """Currency codes in capitals, with the profile's own where there is none."""

    @lru_cache(_CACHED)
    def convert(value: Any) -> str:
        return as_text(value).upper() or default

    return Column(convert, {})


def number_of(mark: str, step: Decimal | None, default: Decimal | None) -> Column:
    """Exact decimals. ``mark`` is the decimal mark of texts, ``step`` what floats are rounded to."""
    scale = 0 if step is None else int(1 / step)
    cent = step or Decimal(1)

    def from_binary(value: float | None) -> Decimal | None:
        if value is None:
            return default
        if type(value) is int:
            return Decimal(value)
        if not -_LARGEST < value < _LARGEST:
            raise BadValueError(f"is not a number that can be booked: {shown(value)}")
        if step is None:
            return Decimal(f"{value:.15g}")
        if -_SURE < value < _SURE:
            minor = round(value * scale)
            # IEEE 754 division is correctly rounded: the quotient is the double that stands for this many minor units,
            # and with 15 digits no other amount has the same. So where it is the value, that is what was meant.
            if minor / scale == value:
                return Decimal(minor) * cent
        # Adding zero takes the sign off a negative zero.
        return Decimal(repr(value)).quantize(step, ROUND_HALF_UP) + 0

    # One memory for both is right: a float and an integer that are equal are the same amount.
    remembered: Callable[[Any], Decimal | None] = _Memory(from_binary).__getitem__

    @lru_cache(_CACHED)
    def from_text(value: str) -> Decimal | None:
        return parse_number(value, mark) if value.strip() else default

    def convert(value: Any) -> Decimal | None:
        kind = type(value)
        if kind is Decimal:
            return value  # type: ignore[no-any-return]
        if kind is float:
            return remembered(value)
        if kind is int:
            return Decimal(value)
        if value is None:
            return default
        if kind is str:
            return from_text(value)
        if kind is bytes:
            return from_text(as_text(value))
        raise BadValueError(f"is not a number: {shown(value)}")

    return Column(convert, {float: remembered, int: remembered, _NONE: remembered, Decimal: None, str: from_text})


def parse_number(text: str, mark: str) -> Decimal:
    """A number that is a text. Thousands may be parted only where ``mark`` says which sign is the decimal mark."""
    bare = text.strip()
    if not mark:
        if _PLAIN.fullmatch(bare):
            return Decimal(bare)
        hint = 'say in the profile which decimal mark is meant: decimal = "," or decimal = "."'
        raise BadValueError(f"is not a plain number: {shown(text)}", fix=hint if "," in bare else "")
    match = _GROUPED[mark].fullmatch(bare)
    if not match:
        raise BadValueError(f"is not a number with `{mark}` as its decimal mark: {shown(text)}")
    if match[1]:
        bare = bare.replace(match[1], "")
    return Decimal(bare.replace(",", "."))


def flag_of(default: bool | None) -> Column:
    """Yes or no: 1/0, true/false, yes/no, y/n, t/f in any case."""

    def convert(value: Any) -> bool | None:
        if value is None or value == "":
            return default
        try:
            # 1, 1.0, Decimal(1) and True are one key.
            return _FLAGS[value]
        except (KeyError, TypeError):
            pass
        text = value.strip().lower() if isinstance(value, str) else value
        if text == "":
            return default
        if isinstance(text, str) and text in _FLAGS:
            return _FLAGS[text]
        raise BadValueError(f"is neither yes nor no: {shown(value)}", fix="let it be 1 or 0, true or false, yes or no")

    return Column(convert, {int: _FLAGS.__getitem__, bool: None})


def day_of(date_format: str, zone: tzinfo) -> Column:
    """Dates. A plain date is never shifted; an instant with a zone becomes the date that it has in ``zone``."""

    @lru_cache(_CACHED)
    def from_text(value: str | None) -> date | None:
        bare = (value or "").strip()
        if not bare or bare.startswith(_NO_DATE):
            return None
        try:
            if date_format:
                return datetime.strptime(bare, date_format).date()  # noqa: DTZ007 - a plain date
            if len(bare) <= 10:
                return date.fromisoformat(bare)
            return from_moment(datetime.fromisoformat(bare))
        except ValueError:
            form = f"written as {date_format}" if date_format else "in ISO form such as 2026-11-22"
            raise BadValueError(f"is not a date {form}: {shown(value)}", fix=_DATE_FIX) from None

    def from_moment(value: datetime) -> date:
        return value.date() if value.tzinfo is None else value.astimezone(zone).date()

    def convert(value: Any) -> date | None:
        kind = type(value)
        if kind is str:
            return from_text(value)
        if kind is date:
            return value  # type: ignore[no-any-return]
        if value is None:
            return None
        if isinstance(value, datetime):
            return from_moment(value)
        if kind is bytes:
            return from_text(as_text(value))
        raise BadValueError(f"is not a date: {shown(value)}", fix=_DATE_FIX)

    return Column(convert, {str: from_text, _NONE: from_text, date: None})


_DATE_FIX: Final = "let the profile give the column as a date, or say `date_format`"


def moment_of(since_format: str) -> Column:
    """Moments of the source's own clock, for ``changed_at``. A text keeps its face value, whatever zone it names.

    So texts, which the database sorts by their face, stay comparable with a moment that is handed back. A moment of a
    driver that has a zone is kept as an instant, in UTC.
    """

    @lru_cache(_CACHED)
    def from_text(value: str) -> datetime | None:
        bare = value.strip()
        if not bare or bare.startswith(_NO_DATE):
            return None
        try:
            if "%" in since_format:
                return datetime.strptime(bare, since_format).replace(tzinfo=None)  # noqa: DTZ007 - the source's clock
            return datetime.fromisoformat(bare).replace(tzinfo=None)
        except ValueError:
            raise BadValueError(f"is not a date and time: {shown(value)}", fix=_SINCE_FIX) from None

    number = number_of("", None, None).one

    def convert(value: Any) -> datetime | None:
        if isinstance(value, datetime):
            return value if value.tzinfo is None else value.astimezone(UTC)
        if type(value) is str and not since_format.startswith("epoch"):
            return from_text(value)
        if value is None or value == "":
            return None
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the source's own clock
        if since_format.startswith("epoch") and not isinstance(value, bool | bytes):
            seconds = number(value)
            try:
                return _EPOCH + timedelta(seconds=float(seconds) / (1000 if since_format == "epoch_ms" else 1))
            except (OverflowError, ValueError):
                raise BadValueError(f"is not a moment: {shown(value)}") from None
        raise BadValueError(f"is not a date and time: {shown(value)}", fix=_SINCE_FIX)

    return Column(convert, {} if since_format.startswith("epoch") else {str: from_text})


_SINCE_FIX: Final = (
    "let the profile give the column as a date and time, or say `since_format` (a number of seconds since 1970: epoch)"
)


def seconds_of(mark: str) -> Column:
    """Lengths of time in seconds, from minutes as a number, ``h:mm`` or ``h:mm:ss``, or a duration of the driver."""
    number = number_of(mark, None, None).one

    def convert(value: Any) -> Decimal | None:
        if is_nothing(value):
            return None
        if isinstance(value, timedelta):
            return Decimal(value.days * 86400 + value.seconds) + Decimal(value.microseconds) / 1000000
        if isinstance(value, time):
            return Decimal(value.hour * 3600 + value.minute * 60 + value.second)
        if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
            return Decimal(int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0))
        if isinstance(value, bool | datetime):
            raise BadValueError(f"is not a number of minutes: {shown(value)}")
        return number(value) * 60  # type: ignore[no-any-return]

    return Column(convert, {})


def clock_of(zone: tzinfo) -> Column:
    """Local times: a date and time, or a time of day alone, to be put on the record's date."""

    def convert(value: Any) -> datetime | time | None:
        if is_nothing(value):
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo is None else value.astimezone(zone).replace(tzinfo=None)
        if isinstance(value, time):
            return value.replace(tzinfo=None)
        if isinstance(value, timedelta) and timedelta(0) <= value < timedelta(days=1):
            return (_EPOCH + value).time()
        if isinstance(value, str):
            bare = value.strip()
            try:
                if len(bare) > 10:
                    return convert(datetime.fromisoformat(bare))
                # Hours of one digit are common in exports and unmistakable.
                return time.fromisoformat(f"0{bare}" if bare[1:2] == ":" else bare)
            except ValueError:
                pass
        raise BadValueError(f"is not a time: {shown(value)}", fix="let it be a date and time, or a time such as 22:15")

    return Column(convert, {})
