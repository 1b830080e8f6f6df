"""Where a profile is found."""

from datetime import UTC
from pathlib import Path

import pytest

from connector_service.contract.registry import Given
from connector_service.domain.problems import SettingsFault
from connector_service.vault import open_vault


def given(home: Path, shipped: Path) -> Given:
    vault = open_vault(home / "vault.json", environ={"CONNECTOR_VAULT": "file"})
    return Given("main", home, vault, UTC, {}, (shipped,))


def test_own_profile_goes_before_the_shipped_one(tmp_path: Path) -> None:
    home, shipped = tmp_path / "home", tmp_path / "shipped"
    home.mkdir()
    shipped.mkdir()
    (shipped / "shop.toml").write_text("")
    found = given(home, shipped)
    assert found.find_profile("shop") == found.find_profile("shop.toml") == shipped / "shop.toml"
    (home / "shop.toml").write_text("")
    assert found.find_profile("shop") == home / "shop.toml"
    assert found.find_profile(str(shipped / "shop.toml")) == shipped / "shop.toml"


@pytest.mark.parametrize("missing", ["shopp", "", "."])
def test_profile_that_is_not_there_names_those_that_are(tmp_path: Path, missing: str) -> None:
    (tmp_path / "shop.toml").write_text("")
    with pytest.raises(SettingsFault) as caught:
        given(tmp_path / "home", tmp_path).find_profile(missing)
    assert "shop" in caught.value.why
