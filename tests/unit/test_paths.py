import stat
import subprocess
import sys
from pathlib import Path

import pytest

from connector_service import files, paths
from connector_service.domain.problems import Busy, NeedsUser
from connector_service.files import exclusive, put_file, readers_besides, refuse_if_shared, replace_file
from connector_service.paths import Paths

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")


def test_option_goes_before_variable_before_default(tmp_path: Path) -> None:
    environ = {"CONNECTOR_HOME": str(tmp_path / "variable")}
    assert Paths.locate(tmp_path / "option", environ=environ).home == tmp_path / "option"
    assert Paths.locate(environ=environ).home == tmp_path / "variable"
    assert Paths.locate(environ={}).home in (paths.user_home(), paths.machine_home())


def test_relative_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Paths.locate("data", environ={}).home == tmp_path / "data"


def test_user_finds_the_data_of_the_installed_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user, machine = tmp_path / "user", tmp_path / "machine"
    monkeypatch.setattr(paths, "user_home", lambda: user)
    monkeypatch.setattr(paths, "machine_home", lambda: machine)
    assert Paths.locate(environ={}) == Paths(user)
    machine.mkdir()
    (machine / "connector.toml").write_text("")
    assert Paths.locate(environ={}) == Paths(machine, machine_wide=True)
    user.mkdir()
    (user / "connector.toml").write_text("")
    assert Paths.locate(environ={}) == Paths(user)
    assert Paths.locate(service=True, environ={}) == Paths(machine, machine_wide=True)


def test_everything_lies_in_the_home(tmp_path: Path) -> None:
    found = Paths(tmp_path)
    assert found.settings_file == tmp_path / "connector.toml"
    assert found.store_file == tmp_path / "state.db"
    assert found.lock_file == tmp_path / "engine.lock"
    assert found.api_token_file == tmp_path / "api-token"
    assert found.log_file == tmp_path / "logs" / "connector.log"
    assert list(tmp_path.iterdir()) == []


@posix
def test_folders_are_for_the_owner_only(tmp_path: Path) -> None:
    found = Paths(tmp_path / "deep" / "home").ensure()
    for folder in (found.home, found.audit_dir, found.log_dir, found.backups_dir, found.reports_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found.ensure()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(NeedsUser) as caught:
        Paths(tmp_path / "home").ensure()
    assert str(tmp_path / "home") in caught.value.what
    assert "--home" in caught.value.fix


def test_shipped_profiles_are_those_of_the_repository() -> None:
    assert (paths.shipped_config().parent / "connector_service" / "paths.py").is_file()


def test_importing_does_not_load_platformdirs() -> None:
    code = "import sys, connector_service.paths; sys.exit('platformdirs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@posix
def test_replaced_file_keeps_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o640)
    replace_file(file, b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@posix
def test_private_file_is_private_whatever_it_was(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o644)
    with pytest.raises(NeedsUser) as caught:
        refuse_if_shared(file, "The file")
    assert f"chmod 600 '{file}'" in caught.value.fix
    replace_file(file, b"new", private=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    refuse_if_shared(file, "The file")


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@posix
def test_a_file_that_is_put_replaces_a_link_and_does_not_follow_it(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    put_file(tmp_path / "link", b"new")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"old"
    assert (tmp_path / "link").read_bytes() == b"new"


def test_a_file_that_is_put_is_looked_at_before_it_takes_the_place(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")

    def refuse(written: Path) -> None:
        assert written.read_bytes() == b"new"
        raise OSError("not what it should be")

    with pytest.raises(OSError, match="not what it should be"):
        put_file(file, b"new", written=refuse)
    assert file.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


def test_one_at_a_time(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"), pytest.raises(Busy), exclusive(tmp_path / "lock", patience_seconds=0):
        pass
    with exclusive(tmp_path / "lock", patience_seconds=0):
        pass


def test_disk_full_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    replace_file(file, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(file, b"new")
    assert file.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("descriptor", "others"),
    [
        ("vault.json\r\nD:PAI(A;;FA;;;BA)(A;;FA;;;SY)(A;;FA;;;S-1-5-21-1-2-3-1001)", set()),
        ("vault.json\r\nD:AI(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;FR;;;WD)", {"BU", "WD"}),
        ("x\r\nD:(A;;FA;;;S-1-5-21-1-2-3-1002)(D;;FA;;;BG)", {"S-1-5-21-1-2-3-1002"}),
        ('x\r\nD:(XA;;FR;;;AU;(@User.Title == "a"))', {"AU"}),
    ],
)
def test_windows_access_lists_are_understood(descriptor: str, others: set[str]) -> None:
    assert readers_besides(descriptor, "S-1-5-21-1-2-3-1001") == others
