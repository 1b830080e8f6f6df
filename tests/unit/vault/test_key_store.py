from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from connector_service.domain.problems import NeedsUser
from connector_service.vault.key_store import KeyStoreVault, is_real

WINDOWS_LIMIT = 2560


class Store(KeyringBackend):
    """A key store as strict as the Windows Credential Manager; it can be killed after so many writes."""

    priority = 5

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.writes_left: int | None = None
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write()
        if len(password.encode("utf-16-le", "surrogatepass")) > WINDOWS_LIMIT:
            raise OSError(1783, "The stub received bad data")
        self.entries[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        self._write()
        if (service, username) not in self.entries:
            raise PasswordDeleteError(service)
        del self.entries[(service, username)]

    def _open(self) -> None:
        if self.locked:
            raise KeyringLocked("The collection is locked")

    def _write(self) -> None:
        self._open()
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise KeyboardInterrupt
            self.writes_left -= 1


class Plaintext(Store):
    priority = 0.5  # type: ignore[assignment]


values = st.one_of(st.text(max_size=40), st.integers(500, 4000).map(lambda size: "☕😀x" * (size // 3)))


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["password", "oauth"]), st.none() | values), max_size=8)
)
@settings(max_examples=100, deadline=None)
def test_behaves_as_a_dictionary_and_leaves_nothing_behind(steps: list[tuple[str, str, str | None]]) -> None:
    store = Store()
    vault = KeyStoreVault(store, Path("/data"))
    model: dict[tuple[str, str], str] = {}
    for route, name, value in steps:
        if value is None:
            assert vault.remove(route, name) == (model.pop((route, name), None) is not None)
        else:
            vault.set(route, name, value)
            model[(route, name)] = value
        for other in ("a", "b"):
            assert list(vault.names(other)) == sorted(name for place, name in model if place == other)
            for each in ("password", "oauth"):
                assert vault.get(other, each) == model.get((other, each))
    for route, name in list(model):
        vault.remove(route, name)
    assert {service.rsplit("/", 1)[1] for service, _ in store.entries} <= {""}  # only the emptied lists of names


def test_two_data_folders_do_not_mix(tmp_path: Path) -> None:
    store = Store()
    one, two = KeyStoreVault(store, tmp_path / "one"), KeyStoreVault(store, tmp_path / "two")
    one.set("main", "password", "of one")
    assert two.get("main", "password") is None
    assert two.names("main") == []
    two.set("main", "password", "of two")
    assert not two.remove("main", "other")
    assert one.get("main", "password") == "of one"
    assert all(service.startswith("connector-service/") for service, _ in store.entries)


@pytest.mark.parametrize("old", ["short", "o" * 5000])
@pytest.mark.parametrize("new", ["brief", "n" * 7001])
def test_killed_between_any_two_writes_the_old_or_the_new_secret_is_there(old: str, new: str) -> None:
    seen = set()
    for kill_after in range(40):
        store = Store()
        vault = KeyStoreVault(store, Path("/data"))
        vault.set("main", "token", old)
        store.writes_left = kill_after
        try:
            vault.set("main", "token", new)
        except KeyboardInterrupt:
            store.writes_left = None
            found = vault.get("main", "token")
            assert found in (old, new)
            seen.add(found)
        else:
            assert vault.get("main", "token") == new
            break
    else:
        pytest.fail("never finished")
    assert old in seen


def test_a_lost_part_is_told_and_not_handed_out() -> None:
    store = Store()
    vault = KeyStoreVault(store, Path("/data"))
    vault.set("main", "token", "t" * 2000)
    part = next(key for key in store.entries if key[0].endswith(".1"))
    del store.entries[part]
    with pytest.raises(NeedsUser) as caught:
        vault.get("main", "token")
    assert "connector secret set main" in caught.value.fix
    vault.set("main", "token", "again" * 400)
    assert vault.get("main", "token") == "again" * 400


def test_locked_store_says_what_to_do() -> None:
    store = Store()
    vault = KeyStoreVault(store, Path("/data"))
    store.locked = True
    for use in (lambda: vault.get("main", "a"), lambda: vault.set("main", "a", "hunter2"), lambda: vault.names("main")):
        with pytest.raises(NeedsUser) as caught:
            use()
        assert "CONNECTOR_VAULT" in caught.value.fix
        assert "hunter2" not in str(caught.value)


def made(kind: Callable[[], KeyringBackend]) -> KeyringBackend:
    return kind()


def test_stores_that_keep_nothing_are_not_real(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_real(Store())
    assert not is_real(made(fail.Keyring))
    assert not is_real(made(null.Keyring))
    assert not is_real(Plaintext())
    for chain, real in (
        ([], False),
        ([Store()], True),
        ([Store(), Plaintext()], True),
        ([Plaintext(), Store()], False),
    ):
        monkeypatch.setattr(chainer.ChainerBackend, "backends", chain)
        assert is_real(made(chainer.ChainerBackend)) is real
