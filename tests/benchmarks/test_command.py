"""How long a command takes in all."""

import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.conftest import Figures, in_turn
from tests.benchmarks.shop import make_home


def test_connector_status(figures: Figures, tmp_path: Path) -> None:

    environment = {**os.environ, "CONNECTOR_VAULT": "file", "CONNECTOR_HOME": str(make_home(tmp_path / "home", 100))}

    def run(*words: str) -> None:
        subprocess.run([sys.executable, *words], env=environment, capture_output=True, check=False, timeout=60)

    run("-m", "connector_service", "sync", "main")
    ours, theirs = in_turn(lambda: run("-m", "connector_service", "status"), lambda: run("-c", "pass"), 9)
    figures.add("connector status, the whole command", ours / theirs, "times", "python -c pass")
    figures.add("connector status, the whole command", ours, "s", "the clock", "under 0.4 s")
