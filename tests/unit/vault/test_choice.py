import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail

from connector_service.domain.problems import NeedsUser, SettingsFault
from connector_service.vault import open_vault
from tests.unit.vault.test_key_store import Store


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """A real key store on this account."""
    made = Store()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made


@pytest.fixture
def no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key store on this account."""
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)


def test_the_key_store_goes_first(tmp_path: Path, store: Store) -> None:
    vault = open_vault(tmp_path / "vault.json", environ={})
    vault.set("main", "password", "hunter2")
    assert open_vault(tmp_path / "vault.json", environ={}).get("main", "password") == "hunter2"
    assert "hunter2" in "".join(store.entries.values())
    assert b"hunter2" not in (tmp_path / "vault.json").read_bytes()
    assert vault.describe() == f"Secrets are kept in the key store of this account ({store.name})."


@pytest.mark.usefixtures("no_store")
def test_the_file_is_the_declared_fallback(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "vault.json", environ={})
    vault.set("main", "password", "hunter2")
    assert str(tmp_path / "vault.json") in vault.describe()
    assert "no key store" in vault.describe()
    assert open_vault(tmp_path / "vault.json", environ={}).get("main", "password") == "hunter2"


def test_secrets_stay_in_the_file_when_a_key_store_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    open_vault(tmp_path / "vault.json", environ={}).set("main", "password", "hunter2")
    monkeypatch.setattr(keyring, "get_keyring", Store)
    assert open_vault(tmp_path / "vault.json", environ={}).get("main", "password") == "hunter2"


def test_a_key_store_out_of_reach_is_told_and_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Store()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    open_vault(tmp_path / "vault.json", environ={}).set("main", "password", "hunter2")
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    vault = open_vault(tmp_path / "vault.json", environ={"CONNECTOR_SECRET_MAIN_OTHER": "o"})
    assert vault.get("main", "other") == "o"
    for use in (lambda: vault.get("main", "password"), lambda: vault.set("main", "password", "x"),
                lambda: vault.remove("main", "password"), lambda: vault.names("main")):  # fmt: skip
        with pytest.raises(NeedsUser, match="cannot be reached"):
            use()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    assert open_vault(tmp_path / "vault.json", environ={}).get("main", "password") == "hunter2"


def test_a_service_for_the_whole_computer_uses_the_file(tmp_path: Path, store: Store) -> None:
    vault = open_vault(tmp_path / "vault.json", machine_wide=True, environ={})
    vault.set("main", "password", "x")
    assert store.entries == {}
    assert "no single user" in vault.describe()


def test_the_variable_forces_the_place(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    open_vault(tmp_path / "a" / "vault.json", environ={"CONNECTOR_VAULT": "keyring"}).set("main", "password", "x")
    assert store.entries
    (tmp_path / "b").mkdir()
    forced = open_vault(tmp_path / "b" / "vault.json", environ={"CONNECTOR_VAULT": " File "})
    forced.set("main", "password", "y")
    assert "y" in (tmp_path / "b" / "vault.json").read_text()
    assert "CONNECTOR_VAULT" in forced.describe()
    with pytest.raises(SettingsFault, match="file or keyring"):
        open_vault(tmp_path / "vault.json", environ={"CONNECTOR_VAULT": "cloud"})
    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)
    with pytest.raises(SettingsFault, match="no key store"):
        open_vault(tmp_path / "vault.json", environ={"CONNECTOR_VAULT": "keyring"})


@pytest.mark.usefixtures("no_store")
def test_environment_goes_before_what_is_stored(tmp_path: Path) -> None:
    environ = {
        "CONNECTOR_SECRET_HEAD_OFFICE_CLIENT_SECRET": "from environment",
        "CONNECTOR_SECRET_HEAD_OFFICE_EMPTY": "",
    }
    vault = open_vault(tmp_path / "vault.json", environ=environ)
    vault.set("head-office", "client_secret", "stored")
    vault.set("head-office", "empty", "stored too")
    assert vault.get("head-office", "client_secret") == "from environment"
    assert vault.get("head-office", "empty") == "stored too"
    assert vault.overriding_variable("head-office", "client_secret") == "CONNECTOR_SECRET_HEAD_OFFICE_CLIENT_SECRET"
    assert vault.overriding_variable("head-office", "empty") is None
    assert vault.names("head-office") == ["client_secret", "empty"]
    environ.clear()
    assert vault.get("head-office", "client_secret") == "stored"


@pytest.mark.usefixtures("no_store")
def test_every_secret_that_passes_is_told_to_the_listener(tmp_path: Path) -> None:
    heard: list[str] = []
    open_vault(tmp_path / "vault.json", environ={}).set("main", "stored", "one")
    vault = open_vault(tmp_path / "vault.json", environ={"CONNECTOR_SECRET_X_Y": "two"}, on_secret=heard.append)
    assert heard == ["two"]
    vault.get("main", "stored")
    vault.set("main", "new", "three")
    assert heard == ["two", "one", "three"]


def test_opening_a_file_vault_does_not_load_keyring(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from connector_service.vault import open_vault\n"
        "open_vault(Path(sys.argv[1], 'vault.json'), environ={'CONNECTOR_VAULT': 'file'}).get('main', 'x')\n"
        "sys.exit('keyring' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0
