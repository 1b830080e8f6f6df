"""Private database servers for the tests: started once in a temporary folder on a free port, and gone afterwards."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

USER: Final = "shop reader"
PASSWORD: Final = "p@ss:w/o#rd %41 'x\""
"""Every sign that an address could stumble over."""
_START_SECONDS: Final = 60


@dataclass(frozen=True)
class Server:
    """A running server."""

    kind: str
    port: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program(name: str, *folders: str) -> str | None:
    found = shutil.which(name)
    if found:
        return str(Path(found).resolve())
    for folder in folders:
        for candidate in sorted(Path("/").glob(f"{folder.lstrip('/')}/{name}"), reverse=True):
            return str(candidate)
    return None


def _as_user(name: str, folder: Path) -> list[str]:
    """Servers refuse to run as root; then they run as the user that their package made."""
    if os.geteuid() != 0:
        return []
    for runner in (["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups"], ["runuser", "-u", name, "--"]):
        if shutil.which(runner[0]):
            shutil.chown(folder, name, name)
            return runner
    pytest.skip(f"running as root, and neither setpriv nor runuser is there to become {name}")


@contextlib.contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} did not start: {(folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _folder(name: str) -> Iterator[Path]:
    # Not below pytest's own folder, which another user may not enter.
    folder = Path(tempfile.mkdtemp(prefix=f"connector-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server with password sign-in; user ``postgres`` and ours have the same password."""
    places = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin")
    initdb, postgres = _program("initdb", *places), _program("postgres", *places)
    if not initdb or not postgres:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with _folder("pg") as folder:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        prefix = _as_user("postgres", folder)
        data, port = folder / "data", free_port()
        made = subprocess.run(
            [
                *prefix,
                initdb,
                "-D",
                str(data),
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C",
                "-A",
                "scram-sha-256",
                f"--pwfile={secret}",
                "-N",
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"initdb: {made.stderr}")
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), "fsync": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with _running([*prefix, postgres, "-D", str(data), "-p", str(port), *options], folder, port):
            with postgres_connection(port) as connection:
                quoted = PASSWORD.replace("'", "''")
                connection.execute(f"create role \"{USER}\" login password '{quoted}'")
            yield Server("postgresql", port)


@contextlib.contextmanager
def postgres_connection(port: int, database: str = "postgres") -> Iterator[Any]:
    """A connection of the administrator, which commits each statement."""
    import psycopg

    def connect() -> Any:
        return psycopg.connect(
            host="127.0.0.1", port=port, user="postgres", password=PASSWORD, dbname=database, autocommit=True
        )

    end = time.monotonic() + _START_SECONDS
    connection = None
    while connection is None:
        try:
            connection = connect()
        except psycopg.OperationalError:
            # The port is open a moment before the server takes sign-ins.
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    with connection:
        yield connection


@contextlib.contextmanager
def mariadb() -> Iterator[Server]:
    """A MariaDB server with our user; ``root`` has no password."""
    install = _program("mariadb-install-db", "/usr/bin", "/opt/homebrew/bin")
    daemon = _program("mariadbd", "/usr/sbin", "/usr/libexec", "/opt/homebrew/bin")
    if not install or not daemon:
        pytest.skip("MariaDB is not installed (Debian: mariadb-server)")
    with _folder("maria") as folder:
        prefix = _as_user("mysql", folder)
        data, port, sock = folder / "data", free_port(), folder / "s"
        made = subprocess.run(
            [
                *prefix,
                install,
                "--no-defaults",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"mariadb-install-db: {made.stdout}{made.stderr}")
        command = [*prefix, daemon, "--no-defaults", f"--datadir={data}", f"--socket={sock}", f"--port={port}"]
        command += [
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--skip-log-bin",
            f"--pid-file={folder / 'pid'}",
        ]
        with _running(command, folder, port):
            with mariadb_connection(port) as cursor:
                cursor.execute(f"create user '{USER}'@'%%' identified by %s", (PASSWORD,))
            yield Server("mariadb", port)


@contextlib.contextmanager
def mariadb_connection(port: int, database: str | None = None) -> Iterator[Any]:
    """A cursor of the administrator, which commits each statement."""
    import pymysql

    connection = pymysql.connect(
        host="127.0.0.1", port=port, user="root", database=database, autocommit=True, charset="utf8mb4"
    )
    with connection, connection.cursor() as cursor:
        yield cursor
