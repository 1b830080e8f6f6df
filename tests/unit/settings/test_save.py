import stat
import sys
import tempfile
import tomllib
from datetime import date
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_service import files
from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.settings import SettingsFaults, load
from connector_service.settings.save import add_route, remove_route, remove_value, set_value
from tests.unit.settings.systems_for_tests import SMALL, SYSTEMS

COMMENTED = """\
# Our shop, set up by Ann


[service]   # the page
port=8731           # do not change
[routes.main.source]
  system = "sql"    # indented on purpose
  url = 'sqlite:///shop.db'
profile = "shop.toml"

[routes.main.sync]
items = [
    "sales_invoice",   # only these
    "vendor_bill",
]
begin = 2026-01-01     # agreed with the accountant
# the end of main

[routes.main.target]
system = "journal"
[routes.other]
enabled = false
source = {system = "clock"}
target.system = "journal"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "connector.toml"
    made.write_bytes(COMMENTED.encode())
    return made


def test_only_the_value_changes(file: Path) -> None:
    loaded = set_value(file, "routes.main.sync.begin", date(2026, 4, 1), SYSTEMS)
    assert file.read_text() == COMMENTED.replace("2026-01-01 ", "2026-04-01 ")
    assert loaded.settings.routes["main"].sync.begin == date(2026, 4, 1)


def test_keys_and_tables_that_are_not_there_are_added(file: Path) -> None:
    set_value(file, "service.timezone", "Europe/Rome", SYSTEMS)
    set_value(file, "routes.main.options.require_sent", True, SYSTEMS)
    set_value(file, "routes.other.sync.mode", "manual", SYSTEMS)
    set_value(file, "routes.other.source.terminal_number", 9, SYSTEMS)
    found = load(file, SYSTEMS)
    assert found.settings.service.timezone == "Europe/Rome"
    assert found.settings.routes["main"].options.require_sent
    assert found.settings.routes["other"].sync.mode == "manual"
    assert found.source_section("other")["terminal_number"] == "9"
    kept = [line for line in COMMENTED.splitlines() if "#" in line]
    assert [line for line in file.read_text().splitlines() if "#" in line] == kept


def test_first_setting_makes_the_file(tmp_path: Path) -> None:
    set_value(tmp_path / "connector.toml", "service.port", 9000, SYSTEMS)
    assert load(tmp_path / "connector.toml", SYSTEMS).settings.service.port == 9000


def test_what_does_not_fit_is_not_written(file: Path) -> None:
    for key, value in (
        ("service.port", 0), ("service.prt", 1), ("routes.main.sync.begin", "soon"),
        ("routes.main.source.password", "x"), ("routes.main.options.batch_size", 101), ("routes.new.enabled", True),
    ):  # fmt: skip
        with pytest.raises(SettingsFaults) as caught:
            set_value(file, key, value, SYSTEMS)
        assert key.rsplit(".", 1)[0] in str(caught.value)
        assert file.read_text() == COMMENTED
    for key in ("port", "", "service.", "service.port.x"):
        with pytest.raises(SettingsFault):
            set_value(file, key, 1, SYSTEMS)
    assert file.read_text() == COMMENTED


def test_a_file_with_faults_is_left_to_its_user(file: Path) -> None:
    file.write_text(COMMENTED + "[servce]\n")
    with pytest.raises(SettingsFaults, match="servce"):
        set_value(file, "service.port", 9000, SYSTEMS)
    assert file.read_text() == COMMENTED + "[servce]\n"


def test_removed_key_has_its_default_again(file: Path) -> None:
    remove_value(file, "routes.main.sync.begin", SYSTEMS)
    assert file.read_text() == COMMENTED.replace("begin = 2026-01-01     # agreed with the accountant\n", "")
    remove_value(file, "routes.main.sync.begin", SYSTEMS)
    remove_value(file, "routes.nobody.sync.begin", SYSTEMS)


def test_routes_are_added_and_removed(file: Path) -> None:
    content = {"source": {"system": "clock"}, "target": {"system": "journal"}, "sync": {"begin": date(2026, 1, 1)}}
    loaded = add_route(file, "till", content, SYSTEMS)
    assert loaded.settings.routes["till"].sync.begin == date(2026, 1, 1)
    assert file.read_text().startswith(COMMENTED.rstrip())
    with pytest.raises(SettingsFault, match="already"):
        add_route(file, "till", content, SYSTEMS)
    with pytest.raises(SettingsFaults, match="cannot be the name"):
        add_route(file, "a b", content, SYSTEMS)
    remove_route(file, "till", SYSTEMS)
    assert file.read_text().rstrip() == COMMENTED.rstrip()
    with pytest.raises(SettingsFault, match="main, other"):
        remove_route(file, "till", SYSTEMS)
    remove_route(file, "main", SYSTEMS)
    assert list(load(file, SYSTEMS).settings.routes) == ["other"]


def test_line_ends_and_byte_order_mark_stay(file: Path) -> None:
    before = b"\xef\xbb\xbf" + COMMENTED.replace("\n", "\r\n").encode()
    file.write_bytes(before)
    set_value(file, "service.port", 9000, SYSTEMS)
    assert file.read_bytes() == before.replace(b"port=8731 ", b"port=9000 ")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_rights_stay(file: Path) -> None:
    file.chmod(0o640)
    set_value(file, "service.port", 9000, SYSTEMS)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_full_disk_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(NeedsUser, match="as they were"):
        set_value(file, "service.port", 9000, SYSTEMS)
    assert file.read_text() == COMMENTED
    assert list(file.parent.iterdir()) == [file]


def test_an_editor_that_would_change_something_else_is_not_believed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumps = tomlkit.dumps
    monkeypatch.setattr(tomlkit, "dumps", lambda document: dumps(document).replace("enabled = false", "enabled = true"))
    with pytest.raises(SettingsFault, match="without changing others"):
        set_value(file, "service.port", 9000, SYSTEMS)
    assert file.read_text() == COMMENTED


def test_tables_out_of_order_are_edited_in_place(file: Path) -> None:
    file.write_text(SMALL.replace("[routes.main.target]", "[service]\nport = 9\n\n[routes.main.target]  # late"))
    set_value(file, "routes.main.target.company", "shop", SYSTEMS)
    set_value(file, "routes.main.sync.mode", "manual", SYSTEMS)
    found = load(file, SYSTEMS)
    assert found.settings.service.port == 9
    assert found.target_section("main")["company"] == "shop"
    assert found.settings.routes["main"].sync.mode == "manual"
    assert "# late" in file.read_text()


def test_old_spelling_is_written_anew(file: Path) -> None:
    old = {"service.prt": "service.port"}
    file.write_text("[service]\nprt = 9000 # ours\n" + SMALL)
    set_value(file, "service.log_retention_days", 30, SYSTEMS, renamed=old)
    assert tomllib.loads(file.read_text())["service"] == {"port": 9000, "log_retention_days": 30}
    set_value(file, "service.port", 9001, SYSTEMS, renamed=old)
    assert load(file, SYSTEMS).settings.service.port == 9001


values = {
    "service.port": st.integers(1, 65535),
    "service.timezone": st.sampled_from(["", "Europe/Rome", "Asia/Tokyo"]),
    "routes.main.sync.begin": st.dates(),
    "routes.main.sync.items": st.lists(st.sampled_from(["sales_invoice", "time_record"]), unique=True),
    # Without "=", since an address with token=… is refused.
    "routes.main.source.profile": st.text(
        st.characters(codec="utf-8", exclude_characters="="), min_size=1, max_size=20
    ),
    "routes.main.options.require_sent": st.booleans(),
    "routes.other.sync.interval_seconds": st.integers(1, 3600),
}


@given(st.lists(st.sampled_from(sorted(values)).flatmap(lambda key: st.tuples(st.just(key), values[key])), max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_value_comes_back_and_nothing_else_changes(steps: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "connector.toml"
        file.write_text(COMMENTED)
        expected = tomllib.loads(COMMENTED)
        for key, value in steps:
            set_value(file, key, value, SYSTEMS)
            *section, name = key.split(".")
            inner = expected
            for part in section:
                inner = inner.setdefault(part, {})
            inner[name] = value
        assert tomllib.loads(file.read_text("utf-8")) == expected
        for line in COMMENTED.splitlines():
            if line.startswith("#"):
                assert line in file.read_text("utf-8")
