"""Options that stand anywhere."""

import pytest

from connector_service.cli.main import NO_FOLDER, take_globals


@pytest.mark.parametrize(
    ("given", "rest", "home", "as_json"),
    [
        (["status"], ["status"], "", False),
        (["--json", "sync", "main"], ["sync", "main"], "", True),
        (["sync", "--home", "here", "main", "--json"], ["sync", "main"], "here", True),
        (["sync", "--home=a=b"], ["sync"], "a=b", False),
        (["sync", "--home"], ["sync"], NO_FOLDER, False),
        (["--home", "--json"], [], NO_FOLDER, True),
        (["--home="], [], NO_FOLDER, False),
        (["links", "set", "--", "--json", "--home"], ["links", "set", "--", "--json", "--home"], "", False),
        (["--home", "a", "--home", "b"], [], "b", False),
    ],
)
def test_taken_from_any_place_before_two_dashes(given: list[str], rest: list[str], home: str, as_json: bool) -> None:
    assert take_globals(given) == (rest, home, as_json)
