from connector_service.paths import shipped_config
from connector_service.settings import judge
from connector_service.settings.example import EXAMPLE_FILE, example_text, help_table
from tests.unit.settings.systems_for_tests import SYSTEMS


def test_the_example_file_is_that_of_the_schema() -> None:
    file = shipped_config() / EXAMPLE_FILE
    advice = "run: python -m connector_service.settings.example"
    assert file.read_text("utf-8") == example_text(), advice


def test_the_example_fits_and_shows_the_defaults() -> None:
    loaded = judge(example_text(), EXAMPLE_FILE, SYSTEMS)
    assert loaded.notices == ()
    bare = judge(
        '[routes.main]\nsource = {system = "sql", url = "a", profile = "b"}\ntarget.system = "journal"', "x", SYSTEMS
    )
    assert loaded.settings.routes["main"].options == bare.settings.routes["main"].options
    assert loaded.settings.service.port == bare.settings.service.port


def test_every_setting_has_a_line_of_help_and_stands_in_the_example() -> None:
    table = help_table()
    assert len({row.key for row in table}) == len(table)
    for row in table:
        assert len(row.help) > 10, row.key
        assert "\n" not in row.help
        assert row.type, row.key
        assert f"\n{row.key.rsplit('.', 1)[1]} = " in example_text()
    rows = {row.key: row for row in table}
    assert rows["routes.NAME.sync.mode"].type == "auto, manual"
    assert rows["routes.NAME.sync.begin"].type == "date"
    assert rows["service.port"].default == "8731"
    assert rows["routes.NAME.source.system"].default == ""
