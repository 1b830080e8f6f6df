"""The two commands of the README, and three for who changes the code. Needs nothing but Python.

    python3 dev.py demo [options of `connector demo`]
    python3 dev.py test [--quick] [--long] [options and paths for pytest]
    python3 dev.py lock [--upgrade]
    python3 dev.py fmt
    python3 dev.py docs

On Windows write `py` for `python3`. Everything goes into the folder `.venv` beside this file.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "connector-stamp.json"
LOG = VENV / "install.log"
REQUIREMENTS = ROOT / "requirements"
OLDEST = (3, 11)
# Raised when the way of setting up changes, so that folders made the old way are made anew.
SETUP_VERSION = 1
# pip settings of the user that would send packages elsewhere than into .venv.
MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "PYTHONPATH")
NETWORK_SIGNS = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "SSLError",
    "Could not find a version",
    "No matching distribution",
    "Connection reset",
    "Connection refused",
    "getaddrinfo",
    "timed out",
)


def say(text: str) -> None:
    """Print one line on standard error at once, so that standard output stays that of the command."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def give_up(*lines: str) -> NoReturn:
    """Say what is wrong and what to do, and end with exit status 2."""
    for line in lines:
        say(line)
    raise SystemExit(2)


def venv_python() -> Path:
    """The interpreter in .venv."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def clean_environment() -> dict[str, str]:
    """The environment for pip and for what runs from .venv."""
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    environment["VIRTUAL_ENV"] = str(VENV)
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    environment["PYTHONUTF8"] = "1"
    return environment


def wait_for(command: list[str], environment: dict[str, str] | None = None) -> int:
    """Run a command to its end and return its exit status; on Ctrl+C the command itself ends and decides."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment or clean_environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def lock_digest(files: list[str]) -> str:
    """One hash over what decides the contents of .venv for a set of lock files."""
    digest = hashlib.sha256()
    for name in files:
        path = REQUIREMENTS / f"{name}.txt"
        if not path.is_file():
            give_up(
                f"The file requirements/{name}.txt is missing.", "Get a complete copy of the project and try again."
            )
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    # The project's own part: the command's name and the version that the program reports. Known from Python 3.11 on,
    # and imported here because older ones must get as far as the message that says so.
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    digest.update(json.dumps([project["project"], project["build-system"]], sort_keys=True).encode())
    return digest.hexdigest()


def read_stamp() -> dict[str, object] | None:
    """What .venv holds, or None where it is missing, half made, of another Python or of another place."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = (
        isinstance(stamp, dict)
        and stamp.get("setup") == SETUP_VERSION
        and stamp.get("python") == sys.version
        and stamp.get("root") == str(ROOT)
        and venv_python().exists()
    )
    return stamp if same else None


def write_stamp(digests: dict[str, str]) -> None:
    """Say, last of all and in one step, that .venv is whole."""
    fresh = STAMP.with_suffix(".tmp")
    content = {"setup": SETUP_VERSION, "python": sys.version, "root": str(ROOT), "locks": digests}
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.replace(STAMP)


def set_up(kind: str) -> None:
    """Make .venv hold what ``kind`` ("runtime" or "dev") needs; returns at once where it does."""
    wanted = {"runtime": ["runtime", "build"], "dev": ["dev"]}
    digest = lock_digest(wanted[kind])
    stamp = read_stamp()
    locks = stamp.get("locks") if stamp else None
    held: dict[str, str] = dict(locks) if isinstance(locks, dict) else {}
    if held.get(kind) == digest:
        return
    # What the tests need holds all that the program needs, so it serves both.
    if kind == "runtime" and held.get("dev") == lock_digest(wanted["dev"]):
        return
    # A folder that holds the current run-time packages can be added to; any other is made from nothing, so that
    # no package which the locks no longer name stays in it.
    if held.get("runtime") == lock_digest(wanted["runtime"]):
        STAMP.unlink()
    else:
        held = {}
        make_venv()
    install(wanted[kind])
    held[kind] = digest
    write_stamp(held)


def make_venv() -> None:
    """Make an empty .venv, in place of one that is there."""
    say("Making the folder .venv …")
    base = getattr(sys, "_base_executable", None) or sys.executable
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        add_missing_venv()
    STAMP.unlink(missing_ok=True)
    made = subprocess.run(
        [base, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False, env=clean_environment()
    )
    if made.returncode != 0:
        give_up(
            (made.stdout + made.stderr).strip()[-1500:],
            "The folder .venv could not be made.",
            "Close programs that run from it (the service, the tray icon, an editor), check that this folder may be "
            "written and the disk is not full, delete .venv and try again.",
        )


def add_missing_venv() -> None:
    """Debian and Ubuntu keep part of Python in a package of its own: install it as root, else name it."""
    package = "python3-venv"
    if Path(sys.executable).resolve().name.startswith("python3."):
        package = f"{Path(sys.executable).resolve().name}-venv"
    if may_install_packages():
        install_packages([package])
        probe = [sys.executable, "-c", "import venv, ensurepip"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return
    give_up(
        "This Python cannot make virtual environments.",
        f"On Debian and Ubuntu run: sudo apt-get install {package}",
        "Elsewhere install Python from python.org, then try again.",
    )


def install(names: list[str]) -> None:
    """Install lock files and the project itself into .venv."""
    say("Installing the packages that the locks name (once; about half a minute) …")
    files = [part for name in names for part in ("-r", str(REQUIREMENTS / f"{name}.txt"))]
    # The locks are complete, so pip has nothing to resolve and cannot bring in what has no hash.
    pip(["install", "--require-hashes", "--no-deps", *files])
    pip(["install", "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)])


def pip(arguments: list[str]) -> None:
    """Run pip in .venv; where it does not succeed, say why in plain words and keep its output in a file."""
    command = [str(venv_python()), "-m", "pip", *arguments, "--no-input", "--progress-bar", "off"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=clean_environment())
    if done.returncode == 0:
        return
    output = done.stdout + done.stderr
    LOG.write_text(output, encoding="utf-8")
    noise = ("WARNING: Location", "Ignoring ")
    tail = [line for line in output.splitlines() if line.strip() and not line.startswith(noise)][-8:]
    if "DO NOT MATCH THE HASHES" in output:
        give_up(
            *tail,
            "A package is not the one that the locks name, so it was not installed.",
            "A proxy or mirror may have changed it, or the download was cut off. Try again, from another network if it "
            "stays so.",
        )
    if any(sign in output for sign in NETWORK_SIGNS):
        give_up(
            *tail,
            "The packages could not be fetched.",
            "Check that this computer reaches the internet (behind a proxy, set HTTPS_PROXY), then run the same "
            "command again.",
        )
    if "No space left" in output:
        give_up("The disk is full.", "Free about 500 MB, then run the same command again.")
    give_up(*tail, f"The packages could not be installed. All that pip said is in {LOG}.")


def may_install_packages() -> bool:
    """Whether this is Debian or Ubuntu, and we are root."""
    return on_debian() and hasattr(os, "geteuid") and os.geteuid() == 0


def on_debian() -> bool:
    """Whether Debian's package tools are there."""
    return bool(shutil.which("dpkg-query") and shutil.which("apt-get"))


def install_packages(packages: list[str]) -> bool:
    """Install Debian packages as root; says and returns False where that does not succeed."""
    say(f"Installing Debian packages: {' '.join(packages)} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install_command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install_command):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode != 0:
            say((done.stdout + done.stderr).strip()[-800:])
            say(f"`{' '.join(command)}` did not succeed; tests that need these packages are skipped.")
            return False
    return True


def read_package_list() -> list[tuple[str, str, str]]:
    """The Debian packages that tests need: package, program it brings ("-" for none), purpose."""
    rows = []
    for line in (ROOT / "tests" / "debian-packages.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            package, program, purpose = (part.strip() for part in line.split("|"))
            rows.append((package, program, purpose))
    return rows


def provide_packages() -> None:
    """See to the programs that tests need from outside of Python: install them, or name what is missing."""
    rows = read_package_list()
    if on_debian():
        query = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}\n", *(row[0] for row in rows)]
        answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout
        there = {line[3:].strip() for line in answer.splitlines() if line.startswith("ii")}
        missing = [row[0] for row in rows if row[0] not in there]
        if missing and may_install_packages():
            install_packages(missing)
        elif missing:
            say("Some tests need programs that are not here and are skipped without them. To have them, run:")
            say(f"  sudo apt-get install {' '.join(missing)}")
        return
    absent = [row for row in rows if row[1] == "-" or shutil.which(row[1]) is None]
    if absent:
        say("Some tests need programs that were not found here, and are skipped without them:")
        for package, _program, purpose in absent:
            say(f"  {package}: {purpose}")


def demo(arguments: list[str]) -> int:
    """Set up what the program needs, then run its demo."""
    set_up("runtime")
    return wait_for([str(venv_python()), "-m", "connector_service", "demo", *arguments])


def test(arguments: list[str]) -> int:
    """Set up what the tests need, then run them all or those that are asked for."""
    set_up("dev")
    if "--quick" not in arguments:
        provide_packages()
    return wait_for([str(venv_python()), str(ROOT / "tests" / "run.py"), *arguments])


def fmt(arguments: list[str]) -> int:
    """Format the code and mend what the linter can mend."""
    set_up("dev")
    where = arguments or ["."]
    mended = wait_for([str(venv_python()), "-m", "ruff", "check", "--fix", *where])
    return wait_for([str(venv_python()), "-m", "ruff", "format", *where]) or mended


def docs(_arguments: list[str]) -> int:
    """Write the reference pages under docs/ anew from the code."""
    set_up("dev")
    return wait_for([str(venv_python()), "-m", "tests.architecture.pages"])


def lock(arguments: list[str]) -> int:
    """Write requirements/*.txt anew from pyproject.toml, for all systems and Python versions at once."""
    uv = [shutil.which("uv") or ""]
    if read_stamp() is not None or not uv[0]:
        set_up("dev")
        uv = [str(venv_python()), "-m", "uv"]
    oldest = ".".join(map(str, OLDEST))
    shared = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", oldest]
    shared += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-config", *arguments]
    groups = {
        "dev": ["pyproject.toml", "--group", "dev", "--group", "build"],
        "runtime": ["pyproject.toml", "--constraint", "requirements/dev.txt"],
        "build": ["--group", "build", "--constraint", "requirements/dev.txt"],
    }
    for name, inputs in groups.items():
        target = REQUIREMENTS / f"{name}.txt"
        if wait_for([*uv, *shared, *inputs, "--output-file", f"requirements/{name}.txt"]) != 0:
            give_up(f"requirements/{name}.txt could not be made; see above.")
        lines = [line for line in target.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        header = "# Made by `python3 dev.py lock` from pyproject.toml; do not edit."
        target.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8", newline="\n")
    say("The locks are written. Run `python3 dev.py test` to try them.")
    return 0


def main() -> int:
    """Run the command that the user typed; returns its exit status."""
    if sys.version_info < OLDEST:
        give_up(
            f"This is Python {platform.python_version()}; Connector Service needs {OLDEST[0]}.{OLDEST[1]} or newer.",
            "Install a newer Python from python.org, or name one that is there: on Windows `py -3.13 dev.py …`, "
            "elsewhere `python3.13 dev.py …`.",
        )
    commands = {"demo": demo, "test": test, "lock": lock, "fmt": fmt, "docs": docs}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        asked_for_help = len(sys.argv) > 1 and sys.argv[1] in ("-h", "--help", "help")
        say((__doc__ or "").strip())
        return 0 if asked_for_help else 2
    try:
        return commands[sys.argv[1]](sys.argv[2:])
    except KeyboardInterrupt:
        say("Interrupted. Run the same command again to go on.")
        return 130
    except PermissionError as problem:
        give_up(
            f"The file {problem.filename} may not be written.",
            "Check the rights of this folder, and that no other user made .venv.",
        )


if __name__ == "__main__":
    sys.exit(main())
