"""What all suites share: long and quick runs, Hypothesis profiles, the wall around the network, the report of a run."""

import json
import os
import socket
import tomllib
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

ROOT: Final = Path(__file__).resolve().parent.parent
SHARED: Final = ROOT.parent / "shared"

# Tests must never open the real password store of who runs them. Set before anything imports keyring; processes that
# tests start inherit it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
for _name in [name for name in os.environ if name.startswith("CONNECTOR_")]:
    del os.environ[_name]

_SLOW_IS_FINE: Final = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "quick", max_examples=20, deadline=None, derandomize=True, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=_SLOW_IS_FINE)
settings.register_profile(
    "long", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options."""
    group = parser.getgroup("connector")
    group.addoption("--long", action="store_true", help="run the big campaigns in full")
    group.addoption("--quick", action="store_true", help="few examples: the inner loop")
    group.addoption("--suite-report", help="file for counts, skipped tests and seconds by suite (JSON)")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the Hypothesis profile; keep the report where this process is the one that sees all tests."""
    chosen = "long" if config.getoption("--long") else "quick" if config.getoption("--quick") else "ci"
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", chosen))
    config.addinivalue_line("markers", "xdist_group(name): tests that must share a worker")
    path = config.getoption("--suite-report")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SuiteReport(Path(path)), "suite-report")


def suite_of(node_id: str) -> str:
    """The suite of a test: the name of its folder under tests/."""
    parts = node_id.split("::")[0].split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "tests" else "tests"


class SuiteReport:
    """Counts results by suite and writes them at the end, for tests/run.py."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passed = 0
        self.failed: set[str] = set()
        self.skipped: Counter[tuple[str, str]] = Counter()
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of one test."""
        suite = suite_of(report.nodeid)
        self.seconds[suite] += report.duration  # type: ignore[assignment]  # a Counter sums seconds as well as counts
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.skipped:
            expected = getattr(report, "wasxfail", None)
            self._skip(suite, report.longrepr if expected is None else f"known not to work yet: {expected}")
        elif report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take a file that could not be read, or that skips itself whole."""
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.skipped:
            self._skip(suite_of(report.nodeid), report.longrepr)

    def _skip(self, suite: str, longrepr: Any) -> None:
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        self.skipped[(suite, reason.removeprefix("Skipped: "))] += 1

    def pytest_sessionfinish(self) -> None:
        """Write the report."""
        content = {
            "passed": self.passed,
            "failed": len(self.failed),
            "skipped": [[suite, reason, count] for (suite, reason), count in self.skipped.items()],
            "seconds": dict(self.seconds),
        }
        self.path.write_text(json.dumps(content), encoding="utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip campaigns unless asked for; keep a file's tests on one worker; begin with the suites that take longest."""
    budget = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["connector"]["tests"][
        "budget"
    ]
    for item in items:
        if item.get_closest_marker("long") and not config.getoption("--long"):
            item.add_marker(pytest.mark.skip(reason="a big campaign: run `dev.py test --long`"))
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
    if config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        items.sort(key=lambda item: -budget.get(suite_of(item.nodeid), 0))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write half characters in captured output as escapes: a worker cannot send them, and would end."""
    report = yield
    report.sections = [(title, text.encode("utf-8", "backslashreplace").decode()) for title, text in report.sections]
    return report


@pytest.fixture(autouse=True, scope="session")
def only_this_machine() -> Iterator[None]:
    """Refuse every connection to another machine, and every look-up of its name."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo
    own = {"localhost", "", socket.gethostname()}

    def is_own(host: object) -> bool:
        name = host.decode() if isinstance(host, bytes) else host
        return name is None or name in own or str(name).startswith("127.") or name in ("::1", "0.0.0.0", "::")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_own(address[0]):
            raise OSError(f"A test tried to reach {address[0]}; tests may only talk to this machine.")
        connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_own(host):
            raise socket.gaierror(socket.EAI_NONAME, f"A test asked for the host {host}; tests stay on this machine.")
        return look_up(host, *args, **kwargs)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def long_run(request: pytest.FixtureRequest) -> bool:
    """Whether the big campaigns run in full; a campaign's short form reads it to choose its size."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test input beside the repository; tests that read it are skipped where it is not there."""
    if not SHARED.is_dir():
        pytest.skip("the folder of shared test input is not beside the repository")
    return SHARED
