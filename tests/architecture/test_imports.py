"""The import arrows of the product, and a look at whether the checker sees what breaks them."""

import pytest

from tests.architecture.imports import ARROWS, arrow_faults
from tests.architecture.tree import module_name, product_sources, python_files


def test_every_module_imports_only_what_its_arrows_allow() -> None:
    faults = [fault for module, source in product_sources() for fault in arrow_faults(module, source)]
    assert not faults, "\n".join(faults)


def test_product_never_imports_tests() -> None:
    offenders = [
        module for module, source in product_sources() if "\nfrom tests" in source or "\nimport tests" in source
    ]
    assert not offenders


def test_every_part_that_exists_has_arrows() -> None:
    parts = {module_name(path).split(".")[1] for path in python_files("connector_service") if path.stem != "__init__"}
    assert parts <= ARROWS.keys()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("connector_service.domain.money", "import msgspec"),
        ("connector_service.domain.money", "from connector_service.contract import target"),
        ("connector_service.contract.target", "from connector_service.engine.push import push"),
        ("connector_service.engine.push", "import connector_service.store.database"),
        ("connector_service.engine.push", "def late() -> None:\n    from connector_service.app import App"),
        ("connector_service.engine.push", "from connector_service import store"),
        ("connector_service.engine.push", "import_module('connector_service.targets.journal')"),
        ("connector_service.engine.push", "from connector_service.targets.journal.adapter import open_target"),
        ("connector_service.sources.sql.adapter", "from connector_service.sources.folder import wire"),
        ("connector_service.sources.shared.values", "from connector_service.sources.folder.wire import Invoice"),
        ("connector_service.sources.sql.adapter", "from connector_service.targets.journal import wire"),
        ("connector_service.sources.sql.adapter", "from connector_service.engine import plan"),
        ("connector_service.sources.sql.adapter", "from ..folder import wire"),
        ("connector_service.targets.xero.client", "import httpx"),
        ("connector_service.http.client", "import httpx"),
        ("connector_service.http.client", "from connector_service.engine.push import push"),
        ("connector_service.store.database", "from connector_service.settings import schema"),
        ("connector_service.app", "import connector_service.web"),
        ("connector_service.domain.money", "import tray"),
        ("connector_service.shop.thing", "from connector_service.domain import money"),
        ("tray.icon", "from connector_service.domain import money"),
        ("tray.icon", "import httpx"),
    ],
)
def test_checker_sees(module: str, source: str) -> None:
    assert arrow_faults(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("connector_service.domain.money", "from decimal import Decimal\nfrom connector_service.domain import kinds"),
        ("connector_service.engine.push", "from connector_service.contract.target import Target"),
        ("connector_service.engine.push", "from connector_service import __version__"),
        ("connector_service.sources.sql.adapter", "from connector_service.sources.shared import profile"),
        ("connector_service.sources.sql.adapter", "from connector_service.sources.sql import mapping"),
        ("connector_service.app", "from connector_service.engine import plan\nfrom connector_service.store import x"),
        ("connector_service.http.transport", "import httpx"),
        ("tray.icon", "import pystray\nfrom connector_service.client import Client\nfrom tray import state"),
    ],
)
def test_checker_allows(module: str, source: str) -> None:
    assert arrow_faults(module, source) == []
