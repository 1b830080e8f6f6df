import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from connector_service.domain.kinds import Kind
from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.settings import Fault, SettingsFaults, judge, load
from tests.unit.settings.systems_for_tests import SMALL, SYSTEMS

DESIGN = Path(__file__).resolve().parents[4] / "shared" / "DESIGN.md"


def faults(text: str) -> dict[str, Fault]:
    """What is wrong with a text, by place."""
    with pytest.raises(SettingsFaults) as caught:
        judge(text, "connector.toml", SYSTEMS)
    found = caught.value.faults
    assert len({fault.place for fault in found}) == len(found), "one fault a place"
    for fault in found:
        assert fault.what
        assert fault.why
        assert fault.fix
    return {fault.place: fault for fault in found}


def only(text: str) -> Fault:
    found = list(faults(text).values())
    assert len(found) == 1, found
    return found[0]


def test_no_file_means_defaults_and_no_route(tmp_path: Path) -> None:
    loaded = load(tmp_path / "connector.toml", SYSTEMS)
    assert loaded.settings.service.port == 8731
    assert loaded.settings.service.log_retention_days == 400
    assert loaded.settings.routes == {}


@pytest.mark.skipif(not DESIGN.exists(), reason="the shared design page is not beside this repository")
def test_the_file_of_the_design_page_fits() -> None:
    text = re.findall(r"```toml\n(\[service\].*?)```", DESIGN.read_text("utf-8"), re.DOTALL)[0]
    loaded = judge(text, "connector.toml", SYSTEMS)
    route = loaded.settings.routes["main"]
    assert route.sync.begin == date(2026, 1, 1)
    assert route.sync.items == tuple(Kind)
    assert route.options.max_new_per_run == 5000
    assert loaded.target_section("main")["company"] == "4620816365012345"
    assert loaded.notices == ()
    # Every value on that page but the samples is the default.
    text = re.sub(r"(?m)^(begin|timezone) = .*$", "", text)
    assert (
        judge(text, "x", SYSTEMS).settings.routes["main"].options
        == judge(SMALL, "x", SYSTEMS).settings.routes["main"].options
    )
    assert (
        judge(text, "x", SYSTEMS).settings.routes["main"].sync
        == judge(SMALL, "x", SYSTEMS).settings.routes["main"].sync
    )


def test_registered_systems_are_the_default() -> None:
    with pytest.raises(SettingsFaults, match="There is no source system"):
        judge(SMALL.replace('"sql"', '"clock"'), "x")


def test_settings_cannot_be_changed_in_memory() -> None:
    settings = judge(SMALL, "x", SYSTEMS).settings
    with pytest.raises(ValueError, match="frozen"):
        settings.service.port = 1  # type: ignore[misc]


def test_every_fault_at_once_each_with_its_line() -> None:
    text = """\
[servce]
port = 1

[service]
port = "8732"
timezone = "Europe/Amstredam"

[routes.main]
enabeld = true
[routes.main.source]
system = "sqll"
folder = 3
[routes.main.target]
system = "journal"
colour = "red"
[routes.main.sync]
mode = "automatic"
interval_seconds = 0
begin = "2026-01-01"
items = [
  "sales_invoice",
  "sales_invoices",
]
[routes.main.options]
after_edit = "update"
batch_size = 101
"""
    found = faults(text)
    assert {place: fault.line for place, fault in found.items()} == {
        "servce": 1,
        "service.port": 5,
        "service.timezone": 6,
        "routes.main.enabeld": 9,
        "routes.main.source.system": 11,
        "routes.main.source.folder": 12,
        "routes.main.target.colour": 15,
        "routes.main.sync.mode": 17,
        "routes.main.sync.interval_seconds": 18,
        "routes.main.sync.begin": 19,
        "routes.main.sync.items (entry 2)": 20,
        "routes.main.options.after_edit": 25,
    }
    assert found["servce"].fix == "Did you mean service?"
    assert found["service.port"].fix == "Write port = 8732."
    assert found["service.timezone"].fix == "Did you mean Europe/Amsterdam?"
    assert found["routes.main.enabeld"].fix == "Did you mean enabled?"
    assert found["routes.main.source.system"].fix == "Did you mean sql?"
    assert found["routes.main.sync.mode"].fix == "Did you mean auto?"
    assert found["routes.main.sync.interval_seconds"].why == "interval_seconds is at least 1."
    assert found["routes.main.sync.begin"].fix == "Write it like begin = 2026-01-01."
    assert found["routes.main.sync.items (entry 2)"].fix == "Did you mean sales_invoice?"


def test_options_are_judged_beside_a_fault_elsewhere_in_the_route() -> None:
    text = SMALL + "[routes.main.sync]\nmode = 3\n[routes.main.options]\nbatch_size = 101\n"
    assert set(faults(text)) == {"routes.main.sync.mode", "routes.main.options.batch_size"}


def test_message_holds_everything() -> None:
    with pytest.raises(SettingsFaults) as caught:
        judge("[service]\nport = 0\nlog_retention_days = true\n", "/data/connector.toml", SYSTEMS)
    assert str(caught.value) == (
        "The settings in /data/connector.toml have 2 things that do not fit.\n"
        "- service.port (line 2): The value 0 is too small. port is at least 1. Write 1 or more.\n"
        "- service.log_retention_days (line 3): The value true is not a whole number. log_retention_days is a whole"
        " number, without quotes. Write digits only.\n"
        "Nothing was done. Mend the file and try again."
    )
    assert isinstance(caught.value, SettingsFault)
    assert caught.value.code == "SETTINGS_WRONG"


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        ("[service]\nport = 65536", "service.port", "at most 65535"),
        ("[service]\nport = 80.0", "service.port", "whole number"),
        ('[store]\nurl = "postgresql://db"', "store.url", "embedded"),
        ("service = 3", "service", "table"),
        ("routes = []", "routes", "table"),
        ("[routes]\nmain = 3", "routes.main", "table"),
        ("[routes.main]\nenabled = 1", "routes.main.enabled", "true or false"),
        ("[routes.main.sync]\nbegin = 2026-01-01T00:00:00", "routes.main.sync.begin", "begin = 2026-01-01"),
        ('[routes.main.sync]\nbegin = "01-02-2026"', "routes.main.sync.begin", "year-month-day"),
        ('[routes.main.sync]\nitems = "time_record"', "routes.main.sync.items", 'items = ["time_record"]'),
        ('[routes.main.sync]\nitems = ["time_record", "time_record"]', "routes.main.sync.items", "twice"),
        ('[routes.main.sync]\ncontacts = "both"', "routes.main.sync.contacts", "off, import, export, newest"),
        ("[routes.main.options]\nbatch_size = -1", "routes.main.options.batch_size", "at least 0"),
        ("[routes.main.options]\nrequire_sent = 'yes'", "routes.main.options.require_sent", "true or false"),
        ("[routes.main.options]\nchecks_off = ['NUMBER_EXISTS']", "routes.main.options.checks_off", "WITHOUT_TEXT"),
        ("[routes.main.options]\ninterval_seconds = 3", "routes.main.options.interval_seconds", "[routes.NAME.sync]"),
        ("[service]\ntimezone = '../../etc/passwd'", "service.timezone", "Region/City"),
        ("[service]\ntimezone = 'Europe'", "service.timezone", "time zone"),
    ],
)  # fmt: skip
def test_each_kind_of_fault_says_what_to_write(line: str, place: str, words: str) -> None:
    text = line + "\n" + (SMALL if place.count(".") > 1 else "")
    found = faults(text)
    assert set(found) == {place}
    assert words in str(found[place])


def test_missing_parts_of_a_route() -> None:
    found = faults('[routes.main.source]\nurl = "sqlite:///a.db"\n[routes.other]\nenabled = true\n')
    assert set(found) == {
        "routes.main.source.system", "routes.main.target", "routes.other.source", "routes.other.target"
    }  # fmt: skip
    assert found["routes.other.target"].line == 3


@pytest.mark.parametrize("name", ["a b", "é", "", "a.b", "-x", "nul", "COM1", "x" * 41, "a/b", "..", "１"])
def test_route_names_that_cannot_be_part_of_paths_and_variables(name: str) -> None:
    fault = only(SMALL.replace("routes.main", f'routes."{name}"'))
    assert "name" in fault.what


def test_route_names_that_would_share_a_variable() -> None:
    twin = SMALL.replace("routes.main", "routes.Head-office")
    fault = only(SMALL.replace("routes.main", "routes.head_office") + twin)
    assert fault.place == "routes.Head-office"
    assert "head_office" in fault.what


def test_fields_of_the_system_are_known_with_their_defaults_and_as_texts() -> None:
    text = '[routes.c.source]\nsystem = "clock"\n[routes.c.target]\nsystem = "journal"\n'
    loaded = judge(text, "x", SYSTEMS)
    assert loaded.source_section("c")["terminal_number"] == "7"
    assert loaded.target_section("c")["company"] == "books"
    loaded = judge(text.replace('"clock"', '"clock"\nterminal_number = 12\npage_token = "t"'), "x", SYSTEMS)
    assert loaded.source_section("c")["terminal_number"] == "12"
    assert loaded.source_section("c")["page_token"] == "t"
    fault = only(text.replace('"clock"', '"clock"\nterminal_numer = 12'))
    assert fault.fix == "Did you mean terminal_number?"
    fault = only(text.replace('"clock"', '"clock"\nterminal_number = [12]'))
    assert "neither text nor number" in fault.what


def test_a_field_that_the_system_needs() -> None:
    fault = only(SMALL.replace('url = "sqlite:///shop.db"', 'url = ""'))
    assert (fault.place, fault.line) == ("routes.main.source.url", 3)
    fault = only(SMALL.replace('url = "sqlite:///shop.db"\n', ""))
    assert (fault.place, fault.line) == ("routes.main.source.url", 1)


def test_a_common_key_that_the_system_does_not_use_is_told() -> None:
    loaded = judge(SMALL.replace('system = "sql"', 'system = "sql"\nfolder = "drop"'), "x", SYSTEMS)
    assert loaded.notices == ('"routes.main.source.folder" is set, but sql does not use it.',)


def test_timezone_of_the_source_goes_before_that_of_the_service() -> None:
    loaded = judge(SMALL, "x", SYSTEMS)
    assert loaded.timezone("main") is not None
    loaded = judge("[service]\ntimezone = 'Europe/Paris'\n" + SMALL, "x", SYSTEMS)
    assert str(loaded.timezone()) == str(loaded.timezone("main")) == "Europe/Paris"
    own = SMALL.replace('system = "sql"', 'system = "sql"\ntimezone = "America/Chicago"')
    loaded = judge("[service]\ntimezone = 'Europe/Paris'\n" + own, "x", SYSTEMS)
    assert str(loaded.timezone("main")) == "America/Chicago"


OLD = {
    "service.prt": "service.port",
    "routes.*.sync.every": "routes.*.sync.interval_seconds",
    "routes.*.auto": "routes.*.enabled",
}


def test_old_spellings_are_read_with_a_notice() -> None:
    text = "[service]\nprt = 9000\n" + SMALL + "[routes.main.sync]\nevery = 60\n"
    loaded = judge(text, "x", SYSTEMS, renamed=OLD)
    assert loaded.settings.service.port == 9000
    assert loaded.settings.routes["main"].sync.interval_seconds == 60
    assert len(loaded.notices) == 2
    assert "routes.main.sync.interval_seconds" in loaded.notices[1]
    with pytest.raises(SettingsFaults, match="not known"):
        judge(text, "x", SYSTEMS)


def test_old_and_new_spelling_together_are_a_fault() -> None:
    with pytest.raises(SettingsFaults) as caught:
        judge("[service]\nprt = 9000\nport = 9001\n", "x", SYSTEMS, renamed=OLD)
    assert [(fault.place, fault.line) for fault in caught.value.faults] == [("service.prt", 2)]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('[service]\nport = "8731\n', 2, 13, "quotes"),
        ("[service]\nport 8731\n", 2, 6, "key, ="),
        ("[service]\nport = 8731\n[routes.main.sync]\nmode = auto\n", 4, 8, "quotes"),
        ("[routes.main.sync]\nbegin = 01-02-2026\n", 2, None, "2026-01-31"),
        ("[routes.main]\nenabled = True\n", 2, 11, "small letters"),
        ('[routes.main.source]\nfolder = "C:\\Invoices"\n', 2, None, "single quotes"),
        ("[service]\nport = 1\nport = 2\n", 3, None, "twice"),
        ("[service]\nport = 1\n[service]\n", 3, None, "twice"),
        ("[service]\n\na = [1,\n\n2\n", 3, None, "not closed"),
        ('b = 1\na = """x\n\n', 2, None, "not closed"),
    ],
)
def test_what_is_not_toml_is_told_with_line_and_column(text: str, line: int, column: int | None, words: str) -> None:
    with pytest.raises(SettingsFaults) as caught:
        judge(text, "x", SYSTEMS)
    (fault,) = caught.value.faults
    assert fault.line == line
    assert column is None or fault.column == column
    assert words in str(fault)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_notepads_utf16_is_told(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "c.toml").write_bytes(SMALL.encode(encoding))
    with pytest.raises(SettingsFaults, match=r"UTF-16.*Notepad"):
        load(tmp_path / "c.toml", SYSTEMS)


def test_another_encoding_is_told_with_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes("# Gebühr\n# é: Straße\n".encode() + "# ü: Bäckerei".encode("latin-1"))
    with pytest.raises(SettingsFaults) as caught:
        load(tmp_path / "c.toml", SYSTEMS)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (3, 3)
    assert "Notepad" in fault.fix


def test_a_byte_order_mark_in_front_of_utf8_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(b"\xef\xbb\xbf[service]\r\nport = 9000\r\n")
    assert load(tmp_path / "c.toml", SYSTEMS).settings.service.port == 9000


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(NeedsUser, match="cannot be read"):
        load(tmp_path, SYSTEMS)


def test_loading_settings_that_fit_loads_neither_tomlkit_nor_rapidfuzz(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[service]\nport = 9000\n")
    code = (
        "import sys; from pathlib import Path; from connector_service.settings import load\n"
        "load(Path(sys.argv[1]))\n"
        "sys.exit(bool({'tomlkit', 'rapidfuzz', 'httpx', 'sqlalchemy', 'lxml'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "c.toml")], check=False).returncode == 0
