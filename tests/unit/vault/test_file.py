import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_service import files
from connector_service.domain.problems import NeedsUser
from connector_service.vault.file import IN_FILE, IN_KEY_STORE, FileVault

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights and signals")
# Any code point, halves of surrogate pairs and control characters too.
any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@given(st.dictionaries(st.tuples(any_text, any_text), any_text, max_size=6), st.data())
@settings(max_examples=80, deadline=None)
def test_any_text_comes_back(secrets: dict[tuple[str, str], str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vault.json"
        for (route, name), value in secrets.items():
            FileVault(file).set(route, name, value)
        for (route, name), value in secrets.items():
            assert FileVault(file).get(route, name) == value
        for route, _ in secrets:
            assert FileVault(file).names(route) == sorted(name for other, name in secrets if other == route)
        if secrets:
            route, name = gone = data.draw(st.sampled_from(sorted(secrets)))
            assert FileVault(file).remove(route, name)
            assert not FileVault(file).remove(route, name)
            for (other_route, other_name), value in secrets.items():
                expected = None if (other_route, other_name) == gone else value
                assert FileVault(file).get(other_route, other_name) == expected


def test_nothing_stored_is_none_and_makes_no_file(tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "vault.json")
    assert vault.get("main", "password") is None
    assert vault.names("main") == []
    assert not vault.remove("main", "password")
    assert vault.kept_in() == ""
    assert list(tmp_path.iterdir()) == []


def test_noted_place_gives_way_to_secrets_only(tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "vault.json")
    vault.note_key_store()
    assert vault.kept_in() == IN_KEY_STORE
    assert vault.get("main", "password") is None
    vault.set("main", "password", "x")
    vault.note_key_store()
    assert vault.kept_in() == IN_FILE
    assert vault.get("main", "password") == "x"


@posix
def test_file_is_private_from_the_start(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileVault(tmp_path / "vault.json").set("main", "password", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "vault.json").stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("rights", [0o640, 0o604, 0o602, 0o666])
def test_file_open_to_others_is_refused_with_the_fix(tmp_path: Path, rights: int) -> None:
    file = tmp_path / "vault.json"
    vault = FileVault(file)
    vault.set("main", "password", "hunter2")
    file.chmod(rights)
    for use in (
        lambda: vault.get("main", "password"),
        lambda: vault.set("main", "a", "b"),
        lambda: vault.names("main"),
    ):
        with pytest.raises(NeedsUser) as caught:
            use()
        assert caught.value.code == "VAULT_OPEN_TO_OTHERS"
        assert f"chmod 600 '{file}'" in caught.value.fix
        assert "hunter2" not in str(caught.value)
    file.chmod(0o600)
    assert vault.get("main", "password") == "hunter2"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe{}", b"[]", b"{}", b'{"version": 2, "secrets": {}}',
     b'{"version": 1, "secrets": {"a": "hunter2"}}',
     b'{"version": 1, "secrets": {"a": {"b": 1}}}', b'{"version": 1, "secrets": {"a": {"b": "hunter2"'],
)  # fmt: skip
def test_damaged_file_is_told_and_never_overwritten(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vault.json"
    file.write_bytes(content)
    file.chmod(0o600)
    vault = FileVault(file)

    def store() -> None:
        vault.set("main", "x", "y")

    def read() -> None:
        vault.get("main", "x")

    for use in (read, store):
        with pytest.raises(NeedsUser) as caught:
            use()
        assert str(file) in caught.value.what
        assert "connector secret set" in caught.value.fix
        assert "hunter2" not in repr(caught.value.__dict__)
    assert file.read_bytes() == content


def test_full_disk_keeps_the_secrets_stored_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = FileVault(tmp_path / "vault.json")
    vault.set("main", "password", "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(NeedsUser) as caught:
        vault.set("main", "password", "new")
    assert "No space left" in caught.value.why
    assert vault.get("main", "password") == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["vault.json", "vault.json.lock"]


@posix
def test_killed_at_any_moment_the_file_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "vault.json"
    vault = FileVault(file)
    vault.set("main", "kept", "for ever")
    writer = (
        "import sys; from pathlib import Path; from connector_service.vault.file import FileVault\n"
        "vault = FileVault(Path(sys.argv[1])); at = int(vault.get('main', 'turn') or 0)\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    at += 1; vault.set('main', 'turn', str(at)); print(at, flush=True)\n"
    )
    chance = random.Random(7)
    for _ in range(6):
        child = subprocess.Popen([sys.executable, "-c", writer, str(file)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        told = "0"
        for _ in range(chance.randint(1, 40)):
            told = child.stdout.readline().strip()
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait()
        last = int(rest[-1]) if rest else int(told)
        turn = int(vault.get("main", "turn") or 0)
        assert turn in (last, last + 1)  # what was told is stored; one more may be
        assert vault.get("main", "kept") == "for ever"
        assert json.loads(file.read_bytes())["version"] == 1


def test_processes_that_store_at_once_keep_each_others_secrets(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from connector_service.vault.file import FileVault\n"
        "for at in range(10): FileVault(Path(sys.argv[1])).set(sys.argv[2], f'name{at}', 'x')"
    )
    file = tmp_path / "vault.json"
    started = [subprocess.Popen([sys.executable, "-c", program, str(file), f"route{at}"]) for at in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4
    assert all(len(FileVault(file).names(f"route{at}")) == 10 for at in range(4))
