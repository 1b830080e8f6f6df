"""dev.py: when it sets up anew, when it does not, and how it speaks when it cannot."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dev
from tests.architecture.tree import ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own for dev.py, with small locks."""
    for name in ("runtime", "dev", "build"):
        (tmp_path / "requirements").mkdir(exist_ok=True)
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"# {name}\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[build-system]\nrequires = []\n', encoding="utf-8")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(dev, "STAMP", tmp_path / ".venv" / "connector-stamp.json")
    monkeypatch.setattr(dev, "LOG", tmp_path / ".venv" / "install.log")
    monkeypatch.setattr(dev, "REQUIREMENTS", tmp_path / "requirements")
    return tmp_path


@pytest.fixture
def installed(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands for pip and venv: what was set up, in order. Nothing is downloaded."""
    done: list[str] = []

    def make() -> None:
        python = dev.venv_python()
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()
        dev.STAMP.unlink(missing_ok=True)
        done.append("venv")

    monkeypatch.setattr(dev, "make_venv", make)
    monkeypatch.setattr(dev, "install", lambda names: done.append("+".join(names)))
    return done


def test_second_run_does_nothing(installed: list[str]) -> None:
    dev.set_up("dev")
    assert installed == ["venv", "dev"]
    dev.set_up("dev")
    dev.set_up("runtime")  # the tests' packages hold the program's
    assert installed == ["venv", "dev"]


def test_test_after_demo_adds_to_what_is_there(installed: list[str]) -> None:
    dev.set_up("runtime")
    dev.set_up("dev")
    assert installed == ["venv", "runtime+build", "dev"]
    dev.set_up("runtime")
    dev.set_up("dev")
    assert len(installed) == 3


def test_changed_lock_makes_it_anew(project: Path, installed: list[str]) -> None:
    dev.set_up("dev")
    (project / "requirements" / "dev.txt").write_text("# newer\n", encoding="utf-8")
    dev.set_up("dev")
    assert installed == ["venv", "dev"] * 2


def test_line_ends_and_lint_settings_do_not(project: Path, installed: list[str]) -> None:
    dev.set_up("dev")
    (project / "requirements" / "dev.txt").write_bytes(b"# dev\r\n")
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("[tool.ruff]\nline-length = 100\n")
    dev.set_up("dev")
    assert installed == ["venv", "dev"]


def test_killed_during_install_starts_again(installed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(names: list[str]) -> None:
        raise KeyboardInterrupt

    install = dev.install
    dev.set_up("runtime")
    monkeypatch.setattr(dev, "install", killed)
    with pytest.raises(KeyboardInterrupt):
        dev.set_up("dev")
    assert dev.read_stamp() is None
    monkeypatch.setattr(dev, "install", install)
    dev.set_up("runtime")
    assert installed == ["venv", "runtime+build", "venv", "runtime+build"]


@pytest.mark.parametrize("change", [{"python": "3.10"}, {"root": "/elsewhere"}, {"setup": 0}])
def test_other_python_or_place_makes_it_anew(installed: list[str], change: dict[str, object]) -> None:
    dev.set_up("dev")
    stamp = json.loads(dev.STAMP.read_text(encoding="utf-8"))
    dev.STAMP.write_text(json.dumps(stamp | change), encoding="utf-8")
    dev.set_up("dev")
    assert installed == ["venv", "dev"] * 2


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"setup": 1}'])
def test_unreadable_stamp_makes_it_anew(installed: list[str], content: str) -> None:
    dev.set_up("dev")
    dev.STAMP.write_text(content, encoding="utf-8")
    dev.set_up("dev")
    assert installed == ["venv", "dev"] * 2


def test_missing_lock_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "requirements" / "dev.txt").unlink()
    with pytest.raises(SystemExit) as ended:
        dev.set_up("dev")
    assert ended.value.code == 2
    assert "requirements/dev.txt is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that the locks name"),
        ("NewConnectionError: getaddrinfo", "reaches the internet"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("something else", "install.log"),
    ],
)
def test_pip_that_does_not_succeed_is_told_in_plain_words(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], output: str, said: str
) -> None:
    dev.VENV.mkdir()
    script = f"import sys; print({output!r}); sys.exit(1)"
    real = subprocess.run
    monkeypatch.setattr(dev, "venv_python", lambda: Path(sys.executable))
    monkeypatch.setattr(subprocess, "run", lambda _command, **options: real([sys.executable, "-c", script], **options))
    with pytest.raises(SystemExit):
        dev.pip(["install"])
    spoken = capsys.readouterr().err
    assert said in spoken
    assert "Traceback" not in spoken
    assert output in dev.LOG.read_text(encoding="utf-8")


def test_old_python_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(dev, "OLDEST", (9, 0))
    with pytest.raises(SystemExit) as ended:
        dev.main()
    assert ended.value.code == 2
    assert "needs 9.0 or newer" in capsys.readouterr().err


def test_python_without_venv_is_told_what_to_install(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr(dev, "may_install_packages", lambda: False)
    with pytest.raises(SystemExit) as ended:
        dev.make_venv()
    assert ended.value.code == 2
    assert "-venv" in capsys.readouterr().err


def test_unknown_command_shows_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), "deom"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert "python3 dev.py demo" in done.stderr
    assert done.stdout == ""


def test_package_list_is_whole() -> None:
    rows = dev.read_package_list()
    assert {"hledger", "postgresql", "mariadb-server"} <= {package for package, _program, _purpose in rows}
    assert all(package and program and purpose for package, program, purpose in rows)


def test_missing_packages_are_named_to_who_may_not_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "read_package_list", lambda: [("no-such-package-zz", "-", "a try")])
    monkeypatch.setattr(dev, "may_install_packages", lambda: False)
    dev.provide_packages()
    assert "no-such-package-zz" in capsys.readouterr().err
