"""The demo's folder: made once, known by a file in it, and never anybody else's."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from connector_service.demo.catalogue import HOME_CURRENCY, OUR_VAT
from connector_service.demo.drafts import BEGIN, COPY_AT, money_draft
from connector_service.demo.einvoices import einvoices
from connector_service.demo.shop import write_shop
from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.domain.status_codes import FaultCode, IssueCode
from connector_service.files import replace_file
from connector_service.paths import Paths, shipped_config, user_home

SHOP: Final = "shop"
"""Route from the sample shop's database."""
INBOX: Final = "inbox"
"""Route from the drop folder; the folder has the same name."""
ROUTES: Final = (SHOP, INBOX)
"""The demo's routes, in the order in which they are synced."""
SHOP_FILE: Final = "shop.db"
"""The sample shop's database."""
BOOKS: Final = "books"
"""The folder of the books, into which both routes book."""
BOOKS_FILE: Final = "main.beancount"
"""What Fava and bean-check open."""
INTERVAL_SECONDS: Final = 10
"""Time between two automatic runs."""

MARKER: Final = "DEMO.txt"
"""The file by which a folder is known as the demo's."""
_FIRST_LINE: Final = "This folder belongs to the demo of Connector Service."
_MARKER_TEXT: Final = f"""\
{_FIRST_LINE}
{SHOP_FILE} is a sample shop, {INBOX} a folder for e-invoices, {BOOKS} are the books that both are put into.
Delete the whole folder when you have seen enough: nothing else uses it.
"""

SETTINGS_TEXT: Final = f"""\
# Settings of the demo. Every setting with its default stands in connector.example.toml of the product.

[service]
timezone = "Europe/Amsterdam"

# What the shop has in its database: invoices, credit notes, bills, vendor credits and time.
[routes.{SHOP}.source]
system = "sql"
url = "sqlite:///{SHOP_FILE}"      # relative to this folder
profile = "shop.toml"           # how its tables are read; came with the product

[routes.{SHOP}.target]
system = "journal"
company = "{BOOKS}"               # a folder; both routes book into it
currency = "{HOME_CURRENCY}"

[routes.{SHOP}.sync]
interval_seconds = {INTERVAL_SECONDS}
begin = {BEGIN}              # what is dated before is in the books already: it is marked, and never booked

# E-invoices that are put into the folder: sales where we are the seller, bills where we are the buyer.
[routes.{INBOX}.source]
system = "folder"
folder = "{INBOX}"
party_id = "{OUR_VAT}"     # our own VAT number

[routes.{INBOX}.target]
system = "journal"
company = "{BOOKS}"
currency = "{HOME_CURRENCY}"

[routes.{INBOX}.sync]
interval_seconds = {INTERVAL_SECONDS}
begin = {BEGIN}
"""


def demo_home() -> Path:
    """The demo's own folder, beside the user's data folder."""
    own = user_home()
    return own.with_name(f"{own.name}-demo")


def demo_paths(home: str | Path | None) -> Paths:
    """The folder that is meant: ``--home`` or else the demo's own; raises ``SettingsFault`` for one of somebody else.

    The environment's data folder is passed by: it is that of real work.
    """
    paths = Paths.locate(home or demo_home())
    folder = paths.home
    try:
        fits = not folder.exists() or is_demo(folder) or (folder.is_dir() and not any(folder.iterdir()))
    except OSError as fault:
        raise _not_usable(folder, fault) from fault
    if not fits:
        raise SettingsFault(
            f"{folder} is there already and is not the demo's, so it is left alone.",
            why=f"The demo uses a new or empty folder, or its own, which it knows by the file {MARKER} in it.",
            fix="Name another folder with --home, or leave --home out.",
            code=IssueCode.SETTINGS_WRONG,
        )
    return paths


def is_demo(folder: Path) -> bool:
    """Whether a folder is the demo's."""
    marker = folder / MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8", errors="replace").startswith(_FIRST_LINE)


def is_made(paths: Paths) -> bool:
    """Whether the demo's folder is whole: its settings are written last."""
    return paths.settings_file.is_file()


def claim(paths: Paths) -> None:
    """Make the folder the demo's, before anything else is in it; raises ``NeedsUser`` where that cannot be done."""
    try:
        paths.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_demo(paths.home):
            replace_file(paths.home / MARKER, _MARKER_TEXT.replace("\n", os.linesep).encode())
    except OSError as fault:
        raise _not_usable(paths.home, fault) from fault


def make(paths: Paths, tell: Callable[[str], None]) -> None:
    """Make shop, drop folder and settings where they are not whole yet; what a break left over is made anew."""
    if is_made(paths):
        return
    tell(f"Making the sample shop in {paths.home} …")
    try:
        tables = (shipped_config() / "profiles" / "shop.sql").read_text(encoding="utf-8")
        write_shop(paths.home / SHOP_FILE, tables)
        folder = paths.home / INBOX
        folder.mkdir(exist_ok=True)
        for name, content in einvoices(money_draft("Invoice", COPY_AT)).items():
            replace_file(folder / name, content)
        replace_file(paths.settings_file, SETTINGS_TEXT.encode())
    except OSError as fault:
        raise _not_usable(paths.home, fault) from fault


def _not_usable(folder: Path, fault: OSError) -> NeedsUser:
    return NeedsUser(
        f"The demo cannot be made in {folder}.",
        why=f"The system says: {fault.strerror or fault}.",
        fix="Let this account write there, or name another folder with --home.",
        code=FaultCode.FOLDER_NOT_WRITABLE,
    )
