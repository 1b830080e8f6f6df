"""Size, annotations, documentation, blind handlers and floats."""

from typing import Final

import pytest

from tests.architecture.code_rules import blind_except_faults, float_faults, public_faults, size_faults
from tests.architecture.tree import module_name, product_sources, python_files

# Where everything may be caught, and why. Everywhere else a handler names what it expects.
BLIND: Final[dict[tuple[str, str], str]] = {
    ("connector_service.cli.main", "_carry_out"): "a command: what nobody foresaw becomes a sentence and exit status 5",
    ("connector_service.hosts.foreground", "Foreground._run_route"): "a run of a route: others go on",
}

# Where float may be used, and why. None of these is money on its way to the books.
FLOATS: Final[dict[tuple[str, str], str]] = {
    (
        "connector_service.sources.shared.values",
        "_digits",
    ): "a driver or spreadsheet gave a float: its digits as written",
    ("connector_service.sources.shared.values", "number_of.from_binary"): "as above; what comes out is Decimal",
    ("connector_service.sources.shared.values", "moment_of.convert"): "seconds since 1970, a moment",
    ("connector_service.sources.folder.adapter", "_number"): "seconds and sizes in the settings",
    ("connector_service.sources.folder.client", "DropFolder.__init__:_looks"): "when a file was last looked at",
    ("connector_service.engine.run", "Runner:_began"): "a moment of the monotonic clock, in seconds",
}

# Parts in which money lives.
MONEY_PARTS: Final = ("domain", "contract", "engine", "store", "sources", "targets")


def test_modules_and_functions_are_short() -> None:
    faults = [
        fault for path in python_files() for fault in size_faults(module_name(path), path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n".join(faults)


def test_public_names_are_annotated_and_documented() -> None:
    faults = [fault for module, source in product_sources() for fault in public_faults(module, source)]
    assert not faults, "\n".join(faults)


def test_only_named_boundaries_catch_everything() -> None:
    faults = [fault for module, source in product_sources() for fault in blind_except_faults(module, source, BLIND)]
    assert not faults, "\n".join(faults)


def test_money_is_never_float() -> None:
    faults = [
        fault
        for module, source in product_sources()
        if module.split(".")[1:2] and module.split(".")[1] in MONEY_PARTS
        for fault in float_faults(module, source, FLOATS)
    ]
    assert not faults, "\n".join(faults)


def test_listed_exceptions_are_still_needed() -> None:
    sources = dict(product_sources())
    idle = [
        place for place in BLIND if not blind_except_faults(place[0], sources.get(place[0], ""), _without(BLIND, place))
    ]
    idle += [
        place for place in FLOATS if not float_faults(place[0], sources.get(place[0], ""), _without(FLOATS, place))
    ]
    assert not idle


def _without(places: dict[tuple[str, str], str], place: tuple[str, str]) -> dict[tuple[str, str], str]:
    return {other: reason for other, reason in places.items() if other != place}


def test_size_checker_sees_long_code() -> None:
    long_function = "def f() -> None:\n" + "    pass\n" * 60
    assert size_faults("m", long_function) == ["m:1 f has 61 lines; 60 at most"]
    assert size_faults("m", "def f() -> None:\n" + "    pass\n" * 59) == []
    nested = "class A:\n    def f(self) -> None:\n        def g() -> None:\n" + "            pass\n" * 60
    assert len(size_faults("m", nested)) == 2
    assert size_faults("m", "x = 1\n" * 401) == ["m has 401 lines; 400 at most"]
    assert size_faults("m", "x = 1\n" * 400) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("x: int = 1", "m has no docstring"),
        ('"""M."""\nX = 1', "m:2 X is not annotated"),
        ('"""M."""\nif True:\n    X = 1', "m:3 X is not annotated"),
        ('"""M."""\ndef f() -> None:\n    pass', "m:2 f is not documented"),
        ('"""M."""\ndef f(a) -> None:\n    """F."""', "m:2 f does not say the type of a"),
        ('"""M."""\ndef f(*a: int, **k) -> None:\n    """F."""', "m:2 f does not say the type of k"),
        ('"""M."""\ndef f():\n    """F."""', "m:2 f does not say what it returns"),
        ('"""M."""\nclass A:\n    x: int', "m:2 A is not documented"),
        ('"""M."""\nclass A:\n    """A."""\n    async def f(self) -> None:\n        pass', "m:4 A.f is not documented"),
    ],
)
def test_public_checker_sees(source: str, fault: str) -> None:
    assert public_faults("m", source) == [fault]


def test_public_checker_leaves_private_names_alone() -> None:
    source = '"""M."""\n_x = 1\ndef _f(a):\n    pass\nclass _A:\n    def g(self):\n        pass\n'
    assert public_faults("m", source) == []


@pytest.mark.parametrize(
    "handler",
    ["except Exception:", "except:", "except BaseException as e:", "except (ValueError, Exception):"],
)
def test_blind_checker_sees(handler: str) -> None:
    source = f"def run() -> None:\n    try:\n        pass\n    {handler}\n        pass\n"
    assert blind_except_faults("m", source, {}) == ["m:4 run catches everything"]
    assert blind_except_faults("m", source, {("m", "run"): "a boundary"}) == []
    assert blind_except_faults("m", source, {("m", "other"): "a boundary"})


def test_blind_checker_sees_suppress_and_allows_named_problems() -> None:
    assert blind_except_faults("m", "with contextlib.suppress(Exception):\n    pass\n", {})
    assert blind_except_faults("m", "try:\n    pass\nexcept (OSError, ValueError):\n    pass\n", {}) == []
    assert blind_except_faults("m", "with suppress(OSError):\n    pass\n", {}) == []
    tidy = "try:\n    pass\nexcept BaseException:\n    close()\n    raise\n"
    assert blind_except_faults("m", tidy, {}) == []
    assert blind_except_faults("m", tidy.replace("raise", "raise ValueError from None"), {})


@pytest.mark.parametrize(
    "source",
    [
        "def f(total: Decimal) -> Decimal:\n    return Decimal(float(total))",
        "def f(total: float) -> None:\n    pass",
        "def f(total: 'float | None') -> None:\n    pass",
        "def f() -> list[float]:\n    return []",
        "class A:\n    total: float = 0",
    ],
)
def test_float_checker_sees(source: str) -> None:
    assert len(float_faults("m", source, {})) == 1


def test_float_checker_allows_seconds_checks_and_listed_places() -> None:
    source = "def f(timeout_seconds: float, x: object) -> bool:\n    return isinstance(x, float)"
    assert float_faults("m", source, {}) == []
    listed = "def alike(a: str) -> float:\n    return float(a)"
    assert len(float_faults("m", listed, {})) == 2
    assert float_faults("m", listed, {("m", "alike"): "a ratio for sorting"}) == []
