"""What the demo says it did: numbers, what waits for a person and what to press, the books, and how to go on."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connector_service.cli.causes import command_for, label
from connector_service.cli.output import Out, plural
from connector_service.demo import place
from connector_service.demo.catalogue import HOME_CURRENCY
from connector_service.demo.corrections import corrections, some_change
from connector_service.demo.drafts import BEGIN, FIRST_DAY, HOW_MANY, LAST_DAY
from connector_service.domain.messages import duration
from connector_service.domain.money import ZERO, money_text
from connector_service.engine.report import FOR_A_PERSON, run_in_words

if TYPE_CHECKING:
    from connector_service.app import App
    from connector_service.engine.report import Row
    from connector_service.engine.run import RunResult

# The words are short, so that six currencies stand beside them in 80 columns.
_GROUPS: Final = (
    ("Receivable", "Assets:Receivable"),
    ("Input tax", "Assets:InputTax"),
    ("Payable", "Liabilities:Payable"),
    ("Sales tax", "Liabilities:Tax"),
    ("Income", "Income"),
    ("Expenses", "Expenses"),
)
_SOURCES: Final = {
    place.SHOP: "the shop's database",
    place.INBOX: "the folder of e-invoices",
}
_SHOWN: Final = 20
_NO_BREAK: Final = "\u00a0"
_WIDTH: Final = 76
"""Columns of a paragraph; commands are never broken."""


class Story:
    """Tells what a sync of the demo did."""

    def __init__(self, out: Out, opened: "App") -> None:
        """Tell it here, of this data folder."""
        self._out = out
        self._app = opened
        self._home = opened.paths.home

    def tell(self, results: "dict[str, RunResult]", is_new: bool, interval_seconds: int) -> None:
        """Everything, in the order in which a reader wants it; the interval is 0 where the demo ends now."""
        self._out.say(f"The demo is in {shown(self._home)}.")
        if is_new:
            self._say(
                "",
                f"It has a sample shop with {sum(HOW_MANY.values())} documents of {FIRST_DAY.year} and {LAST_DAY.year},"
                f" and a folder with 10 e-invoices. Both go into one set of books, which begins on {BEGIN}.",
            )
        for route, result in results.items():
            self._run(route, result)
        if is_new:
            self._out.say("  One of the e-invoices lay there twice, under two names, and is booked once.")
        self._waiting(results)
        self._books()
        self._onward(interval_seconds)

    def _run(self, route: str, result: "RunResult") -> None:
        self._out.say()
        self._out.say(f"Route {route}, from {_SOURCES[route]}:")
        counts = result.counts
        done = {state for state, count in counts.items() if count} - {"read", "unchanged"}
        if result.fault is not None:
            self._say("  ", *(part for part in (result.fault.what, result.fault.why, result.fault.fix) if part))
        elif done <= {"held"}:
            held = f" {plural(counts['held'], 'document is', 'documents are')} held as before." if done else ""
            self._say("  ", f"Nothing new to export: what is booked once is not booked again.{held}")
        else:
            self._say("  ", _unbroken(run_in_words(counts, result.totals, "the books")))

    def _say(self, indent: str, *texts: str) -> None:
        """Paragraphs, broken into lines that are easy to read."""
        for text in texts:
            for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False, break_long_words=False):
                self._out.say(indent + line.replace(_NO_BREAK, " "))

    # -- what waits for a person --------------------------------------------------------------------------------------

    def _waiting(self, routes: Iterable[str]) -> None:
        from connector_service.app import Filter

        wanted = Filter(states=FOR_A_PERSON)
        rows = [(route, row) for route in routes for row in self._app.documents(route, wanted, 0, _SHOWN)[0]]
        if not rows:
            return
        self._out.say()
        self._out.say(f"{plural(len(rows), 'document waits', 'documents wait')} for a person:")
        mended = corrections()
        for route, row in rows:
            self._out.say()
            self._document(route, row, mended.get(row.key, ""))

    def _document(self, route: str, row: "Row", correction: str) -> None:
        found = row.problems[0] if row.problems else None
        self._out.say(f"  {label(row)} ({found.code if found else row.state})")
        if found is None:
            return
        self._say("    ", *(part for part in (found.what, found.why, found.fix) if part))
        if correction:
            self._out.say(f"    In the shop: {self._in_shop(correction)}")
            self._out.say(f"    Then:        {self._connector(f'sync {route}')}")
            return
        press = command_for(found, route, row)
        if press:
            self._out.say(f"    Press: {self._connector(press.removeprefix('connector '))}")

    # -- the books ----------------------------------------------------------------------------------------------------

    def _books(self) -> None:
        with self._app.books(place.SHOP) as books:
            balances = list(books.balances())
        sums: dict[tuple[str, str], Decimal] = {}
        for account, currency, balance in balances:
            group = next((group for _, group in _GROUPS if f"{account}:".startswith(f"{group}:")), "")
            for key in ((group, currency), ("", currency)) if group else ((account.split(":")[1], currency),):
                sums[key] = sums.get(key, ZERO) + balance
        used = {currency for group, currency in sums if not group}
        currencies = sorted(used, key=lambda one: (one != HOME_CURRENCY, one))
        self._out.say()
        self._out.say("What the books stand at (debit is plus; each column adds up to nothing, as it must):")
        self._out.say()
        rows = [
            (f"  {words}", *(_cell(sums.get((group, one)), one) for one in currencies))
            for words, group in (*_GROUPS, ("Sum", ""))
        ]
        self._out.table(("", *currencies), rows, right=range(1, 1 + len(currencies)))
        minutes = sum((balance for account, _, balance in balances if account.startswith("Assets:Time:")), ZERO)
        if minutes:
            self._out.say(f"  Time: {duration(int(minutes))}, by employee and pay item.")

    # -- how to go on -------------------------------------------------------------------------------------------------

    def _onward(self, interval_seconds: int) -> None:
        books = quoted(shown(self._home / place.BOOKS / place.BOOKS_FILE))
        statement, number = some_change()
        self._out.say()
        self._out.say("How to go on")
        self._out.say(f"  Look at the books in a browser:  pip install fava, then: fava {books}")
        self._out.say(f"  See every document:              {self._connector('documents')}")
        self._out.say(f"  Change an exported invoice ({number}) in the shop, and sync:")
        self._out.say(f"    {self._in_shop(statement)}")
        self._out.say(f"    {self._connector(f'sync {place.SHOP}')}")
        if not interval_seconds:
            self._out.say("  Run the demo again: nothing is exported a second time.")
            return
        self._out.say()
        self._say(
            "",
            f"Both routes now sync every {interval_seconds} seconds. Type the commands above in another window,"
            f" or put an e-invoice into {shown(self._home / place.INBOX)}.",
        )
        self._out.say("Ctrl-C ends the demo.")

    def _connector(self, words: str) -> str:
        return f"{program('connector')} {words} --home {quoted(shown(self._home))}"

    def _in_shop(self, statement: str) -> str:
        file = self._home / place.SHOP_FILE
        if shutil.which("sqlite3"):
            return f'sqlite3 {quoted(shown(file))} "{statement}"'
        if sys.version_info >= (3, 12):
            return f'{program("python")} -m sqlite3 {quoted(shown(file))} "{statement}"'
        code = f"import sqlite3; shop = sqlite3.connect(r'{file}'); shop.execute({statement!r}); shop.commit()"
        return subprocess.list2cmdline([program("python"), "-c", code])


def _unbroken(words: str) -> str:
    """Words in which no line ends within "EUR 1.00 of EUR 2.00"."""
    return re.sub(r"\b([A-Z]{3}) (?=[\d.,])", rf"\1{_NO_BREAK}", words).replace(" of ", f"{_NO_BREAK}of{_NO_BREAK}")


def _cell(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else f"{Decimal(money_text(amount, currency)):,}"


def program(name: str) -> str:
    """How a program of this installation is called from here: its name where the shell finds it, else its path."""
    ours = Path(sys.executable).with_name(name + (".exe" if os.name == "nt" else ""))
    found = shutil.which(name)
    if not ours.exists() or (found and Path(found).resolve() == ours.resolve()):
        return name
    near = os.path.relpath(ours)
    return quoted(str(ours) if near.startswith("..") else near)


def shown(path: Path) -> str:
    """A path as a person writes it, with ~ for the own folder where the shell knows that."""
    home = Path.home()
    if os.name != "nt" and path.is_relative_to(home) and path != home:
        return f"~/{path.relative_to(home)}"
    return str(path)


def quoted(path: str) -> str:
    """A path as it can be typed; ~ stays outside of the quotes."""
    if os.name == "nt":
        return subprocess.list2cmdline([path])
    return f"~/{shlex.quote(path[2:])}" if path.startswith("~/") else shlex.quote(path)
