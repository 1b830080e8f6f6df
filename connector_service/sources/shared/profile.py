"""Profiles: TOML files that tell a source how to read records. Read whole, with every fault at once and its place.

A profile has a table for each kind (``[sales_invoice]``), a sub-table for each alternative
(``[sales_invoice.packing_list]``), tables for ``customer``, ``supplier`` and ``employee``, and above them values that
hold for all tables (``currency``, ``decimal``, ``date_format``, ``since_format``, ``delimiter``, ``encoding``).
"""

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connector_service.domain.kinds import Kind, PartyKind
from connector_service.domain.money import is_currency
from connector_service.domain.problems import SettingsFault
from connector_service.nearest import did_you_mean
from connector_service.sources.shared.fields import ALTERNATIVES, AnyKind, fields_of

_EVERYWHERE: Final = ("currency", "decimal", "date_format", "since_format")
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "sql": ("query", "probe", "mark_exported", "mark_paid", "total_from_lines"),
    "folder": ("pattern", "columns", "delimiter", "encoding", "sheet", "total_from_lines"),
}
_ABOVE: Final[dict[str, tuple[str, ...]]] = {"sql": (), "folder": ("delimiter", "encoding")}
_NEEDED: Final[dict[str, str]] = {"sql": "query", "folder": "pattern"}
_WORD_FORMATS: Final = ("date", "datetime", "epoch", "epoch_ms")
_DIRECTIVES: Final = "YmdHMSf"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindProfile:
    """How one kind is read. What a profile leaves out is empty; which keys there can be depends on the system."""

    kind: AnyKind
    alternative: str = ""
    """Empty for the kind's own records, else ``packing_list`` or ``receiver``."""
    place: str = ""
    """Where it stands, for messages: ``shop.toml, [sales_invoice]``."""
    currency: str = ""
    """The currency of documents that carry none; empty where each must carry its own."""
    decimal: str = ""
    """``.`` or ``,`` where numbers are texts with that decimal mark; empty: plain digits with a point, nothing else."""
    date_format: str = ""
    """How dates that are texts are written (``%d/%m/%Y``); empty: ISO 8601."""
    since_format: str = ""
    """How ``changed_at`` is written and compared: a format, ``date``, ``datetime``, ``epoch`` or ``epoch_ms``."""
    total_from_lines: bool = False
    """Whether the records have no total of their own, so that it is the sum of their parts."""
    query: str = ""
    probe: str = ""
    mark_exported: str = ""
    mark_paid: str = ""
    pattern: str = ""
    """File names that hold this kind: ``invoices*.csv``."""
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    """Name of the sheet of a workbook; empty: the first."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field to the header of the column that holds it."""

    @property
    def can_window(self) -> bool:
        """Whether the query asks the database for a window of dates."""
        return bool({"from_date", "to_date"} & set(parameters(self.query)))


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile, read and checked."""

    name: str
    """The file's name."""
    title: str
    tables: tuple[KindProfile, ...]

    def table(self, kind: AnyKind, alternative: str = "") -> KindProfile | None:
        """The table of a kind, or of one of its alternatives; ``None`` where the profile has none."""
        for table in self.tables:
            if table.kind is kind and table.alternative == alternative:
                return table
        return None

    def chosen(self, alternatives: Mapping[str, str]) -> dict[AnyKind, KindProfile]:
        """One table a kind, made from what a route chose; raises ``SettingsFault`` for a choice that is not there."""
        chosen: dict[AnyKind, KindProfile] = {t.kind: t for t in self.tables if not t.alternative}
        for name, alternative in alternatives.items():
            kind = Kind(name)
            table = self.table(kind, alternative)
            if table is None:
                raise SettingsFault(
                    f"The profile {self.name} cannot make {name} from {alternative}.",
                    why=f"It has no table [{name}.{alternative}].",
                    fix="Add that table to the profile, or choose the other way under the route's options.",
                    code="SETTINGS_WRONG",
                )
            chosen[kind] = table
        return chosen


def parameters(statement: str) -> list[str]:
    r"""Names of the bound values in a statement: ``:since`` gives ``since``. A ``::`` cast and ``\:`` are none."""
    return re.findall(r"(?<![:\w\\]):(\w+)(?!:)", statement)


def sorts_by_time(form: str) -> bool:
    """Whether texts in a strftime format stand in order of time when they are sorted as texts."""
    at = [_DIRECTIVES.find(letter) for letter in re.findall(r"%(.)", form)]
    return at == list(range(len(at))) and bool(at)


def load_profile(path: Path, system: str) -> Profile:
    """Read the profile of a system (``sql``, ``folder``); raises ``SettingsFault`` that names every fault and place."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _fault(
            path.name, [f"It cannot be read: {error.strerror or error}."], "Check the file's name and rights."
        ) from error
    except UnicodeDecodeError as error:
        raise _fault(path.name, [f"Byte {error.start} is not UTF-8."], "Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise _fault(
            path.name, [f"It is not TOML: {error}."], "Mend that place; long texts go in triple quotes."
        ) from error
    reader = _Reader(path.name, system)
    tables = tuple(reader.tables(document))
    if not tables and not reader.faults:
        reader.faults.append("It has no table for any kind, such as [sales_invoice].")
    if reader.faults:
        raise _fault(path.name, reader.faults, "Mend the profile; `connector check` reads it again.")
    title = document.get("title", "")
    return Profile(path.name, title if isinstance(title, str) and title else path.stem, tables)


def _fault(name: str, faults: list[str], fix: str) -> SettingsFault:
    return SettingsFault(f"The profile {name} cannot be used.", why=" ".join(faults), fix=fix, code="SETTINGS_WRONG")


class _Reader:
    """Goes through a profile and collects faults."""

    def __init__(self, name: str, system: str) -> None:
        self.name = name
        self.faults: list[str] = []
        self._system = system
        self._keys = (*_KEYS[system], *_EVERYWHERE)
        self._above = (*_EVERYWHERE, *_ABOVE[system])

    def tables(self, document: dict[str, Any]) -> Iterator[KindProfile]:
        kinds: dict[str, AnyKind] = {kind.value: kind for kind in (*Kind, *PartyKind)}
        above: dict[str, Any] = {}
        for key, value in document.items():
            if key == "title":
                self._want(key, value, str)
            elif key in self._above:
                above[key] = value
            elif key not in kinds:
                self.faults.append(f"`{key}` is not known. {did_you_mean(key, [*kinds, *self._above, 'title'])}")
            elif not isinstance(value, dict):
                self.faults.append(f"`{key}` must be a table: [{key}].")
        self._values("", above)
        for key, kind in kinds.items():
            if isinstance(document.get(key), dict):
                yield from self._kind(kind, document[key], above)

    def _kind(self, kind: AnyKind, table: dict[str, Any], above: dict[str, Any]) -> Iterator[KindProfile]:
        others = ALTERNATIVES.get(kind, ())
        own = {key: value for key, value in table.items() if key not in others}
        if own or not any(name in table for name in others):
            yield from self._table(kind, "", own, above)
        for name in others:
            if name in table:
                if isinstance(table[name], dict):
                    yield from self._table(kind, name, table[name], above)
                else:
                    self.faults.append(f"[{kind}] `{name}` must be a table: [{kind}.{name}].")

    def _table(
        self, kind: AnyKind, alternative: str, table: dict[str, Any], above: dict[str, Any]
    ) -> Iterator[KindProfile]:
        label = f"{kind}.{alternative}" if alternative else str(kind)
        before = len(self.faults)
        for key in table:
            if key not in self._keys:
                self._unknown(label, kind, key)
        known = {key: value for key, value in table.items() if key in self._keys}
        self._values(f"[{label}] ", known)
        needed = _NEEDED[self._system]
        if not known.get(needed):
            self.faults.append(f"[{label}] has no `{needed}`.")
        if len(self.faults) > before:
            return
        merged = KindProfile(kind=kind, alternative=alternative, place=f"{self.name}, [{label}]", **{**above, **known})
        self._statements(label, merged)
        if len(self.faults) == before:
            yield merged

    def _unknown(self, label: str, kind: AnyKind, key: str) -> None:
        for system, keys in _KEYS.items():
            if key in keys:
                self.faults.append(f"[{label}] `{key}` belongs to profiles of the source system {system}.")
                return
        known = [*self._keys, *ALTERNATIVES.get(kind, ())]
        self.faults.append(f"[{label}] `{key}` is not known. {did_you_mean(key, known)}")

    def _want(self, place: str, value: object, wanted: type) -> bool:
        if isinstance(value, wanted):
            return True
        words = {str: "a text in quotes", bool: "true or false", dict: "a table"}[wanted]
        self.faults.append(f"{place} must be {words}, not {value!r}.")
        return False

    def _values(self, label: str, table: dict[str, Any]) -> None:
        for key, value in table.items():
            place = f"{label}`{key}`"
            wanted = bool if key == "total_from_lines" else dict if key == "columns" else str
            if not self._want(place, value, wanted) or not value:
                continue
            if key == "columns":
                self._columns(label, value)
            elif key in ("mark_exported", "mark_paid") and "key" not in parameters(value):
                self.faults.append(f"{place} must say which record it marks: … where InvoiceNo = :key.")
            elif reason := _wrong(key, value):
                self.faults.append(f"{place} {reason}")

    def _columns(self, label: str, columns: dict[str, Any]) -> None:
        name = label.strip().strip("[]").partition(".")[0]
        known = fields_of(PartyKind(name) if name in list(PartyKind) else Kind(name))
        for column, header in columns.items():
            if column not in known:
                self.faults.append(f"{label}columns `{column}` is not a field. {did_you_mean(column, list(known))}")
            else:
                self._want(f"{label}columns `{column}`", header, str)

    def _statements(self, label: str, table: KindProfile) -> None:
        window = ("from_date", "to_date")
        allowed = {"query": ("since", *window), "probe": window, "mark_exported": ("key",), "mark_paid": ("key",)}
        for key, names in allowed.items():
            statement = getattr(table, key)
            for name in parameters(statement):
                if name not in names:
                    may = " and ".join(f":{known}" for known in names)
                    hint = f"It may use {may}; write `\\:` for a colon of its own."
                    self.faults.append(f"[{label}] `{key}` uses :{name}. {hint}")
            if key in ("query", "probe") and statement and not _reads(statement):
                self.faults.append(f"[{label}] `{key}` must begin with select or with.")
            if key.startswith("mark") and statement and (isinstance(table.kind, PartyKind) or _no_payment(table, key)):
                self.faults.append(f"[{label}] `{key}`: there is nothing of this kind to mark so.")
        for key, name in (("since_format", "since"), ("date_format", "from_date"), ("date_format", "to_date")):
            form = getattr(table, key)
            if "%" in form and name in parameters(table.query) and not sorts_by_time(form):
                self.faults.append(
                    f"[{label}] `{key}` {form} does not sort by time, so :{name} cannot be compared with it; let the "
                    "query turn the column into an ISO date and leave the format out."
                )


def _no_payment(table: KindProfile, key: str) -> bool:
    return key == "mark_paid" and table.kind is Kind.TIME_RECORD


def _reads(statement: str) -> bool:
    bare = re.sub(r"^(\s|--[^\n]*\n|/\*.*?\*/)*", "", statement, flags=re.DOTALL)
    return bool(re.match(r"(select|with)\b", bare, re.IGNORECASE))


def _wrong(key: str, value: str) -> str:
    """What is wrong with one value, as the end of a sentence; empty where nothing is."""
    if key == "currency" and not is_currency(value):
        return f"must be a code of three capital letters such as EUR, not {value!r}."
    if key == "decimal" and value not in (".", ","):
        return f"must be a point or a comma, not {value!r}."
    if key == "delimiter" and len(value) != 1:
        return f"must be one character, such as a comma, a semicolon or a tab (\\t), not {value!r}."
    if key == "encoding":
        try:
            codecs.lookup(value)
        except LookupError:
            return f"must be an encoding such as utf-8 or windows-1252, not {value!r}."
    if key == "date_format" or (key == "since_format" and value not in _WORD_FORMATS):
        sample = datetime(2026, 11, 22)  # noqa: DTZ001 - a sample day, nothing is done with it
        try:
            good = datetime.strptime(sample.strftime(value), value).date() == sample.date()  # noqa: DTZ007 - the same
        except ValueError:
            good = False
        if not good:
            words = " or one of " + ", ".join(_WORD_FORMATS) if key == "since_format" else ""
            return f"must be a format with day, month and year, such as %d/%m/%Y{words}, not {value!r}."
    return ""
