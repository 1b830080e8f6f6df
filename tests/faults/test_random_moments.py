"""Processes are killed at random moments of a run, and again while they recover, until one gets to the end.

How many: 20, and 10,000 with ``--long``. A campaign can be cut in pieces:

- ``FAULTS_KILLS``: how many kills
- ``FAULTS_SECONDS``: end after so many seconds, with what has been done by then
- ``FAULTS_SEED``: begin of the chance; printed, so that what a campaign finds can be had again
- ``FAULTS_PROGRESS``: a file that remembers kills and moments, so that the next call goes on from there
"""

import json
import os
import random
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults import oracle, shop
from tests.faults.conftest import Worker

NewHome = Callable[..., Path]

SHORT: Final = 20
LONG: Final = 10_000
IN_ONE_HOME: Final = 8
"""Kills after which a home's work may come to its end."""
SIZES: Final = ((500, 40), (500, 40), (100, 9))
"""Documents and batch size of homes, in turn. The short campaign has the large ones only."""
_AGAIN: Final = "grow:100"


class Campaign:
    """Counts kills over homes, and remembers them."""

    def __init__(self, wanted: int, seconds: float, progress: Path | None) -> None:
        self.wanted, self.progress = wanted, progress
        self.until = time.monotonic() + seconds
        kept: dict[str, Any] = json.loads(progress.read_text()) if progress and progress.exists() else {}
        self.kills: int = kept.get("kills", 0)
        self.homes: int = kept.get("homes", 0)
        self.seed = int(os.environ.get("FAULTS_SEED", "20260101")) + self.homes
        self.chance = random.Random(self.seed)

    def goes_on(self) -> bool:
        """Whether more is to be done."""
        return self.kills < self.wanted and time.monotonic() < self.until

    def note(self) -> None:
        """Remember one more home that was found right."""
        self.homes += 1
        if self.progress is not None:
            self.progress.write_text(json.dumps({"kills": self.kills, "homes": self.homes}))
        if self.homes % 50 == 0:
            print(f"{self.kills} kills in {self.homes} homes, all found right", flush=True)


def _full_length(worker: Worker, new_home: NewHome, size: tuple[int, int]) -> float:
    """Seconds of a whole run that nothing ends."""
    seconds: list[float] = []
    for _ in range(3):
        home = new_home(*size)
        answer = worker(home, "sync")
        assert answer["status"] == 0
        seconds.append(answer["seconds"])
        shutil.rmtree(home)
    return statistics.median(seconds)


def _kill_until_done(worker: Worker, home: Path, length: float, campaign: Campaign) -> list[float]:
    """Kill at moments spread evenly over the length of a run; returns them. The last run is left alone."""
    moments: list[float] = []
    while len(moments) < IN_ONE_HOME and campaign.kills + len(moments) < campaign.wanted:
        moment = campaign.chance.uniform(0, length)
        answer = worker(home, "sync", kill_after=moment)
        if answer["status"] == 0:
            # It was faster than the kill. New documents come in, and the next kill may fall among them.
            if shop.has_grown(home, shop.LATER):
                break
            worker.done(home, _AGAIN)
            continue
        assert answer["status"] == -9, answer
        moments.append(round(moment, 4))
    return moments


def _check(worker: Worker, home: Path, moments: list[float], campaign: Campaign, *, loaded: bool) -> None:
    try:
        worker.finish(home)
        oracle.check(home, loaded=loaded)
    except AssertionError as found:
        kept = home.parents[1] / f"found-{campaign.homes}"
        shutil.copytree(home, kept, dirs_exist_ok=True)
        raise AssertionError(f"seed {campaign.seed}, killed after {moments} s, home in {kept}: {found}") from found


@pytest.mark.timeout(0)
def test_killed_at_random_moments(worker: Worker, new_home: NewHome, long_run: bool) -> None:
    sizes = SIZES if long_run else SIZES[:1]
    wanted = int(os.environ.get("FAULTS_KILLS", LONG if long_run else SHORT))
    progress = os.environ.get("FAULTS_PROGRESS")
    campaign = Campaign(wanted, float(os.environ.get("FAULTS_SECONDS", "1e9")), Path(progress) if progress else None)
    lengths = {size: _full_length(worker, new_home, size) for size in sizes}
    print(f"a whole run takes {', '.join(f'{one:.3f} s' for one in lengths.values())}; seed {campaign.seed}")
    before = campaign.kills
    while campaign.goes_on():
        size = sizes[campaign.homes % len(sizes)]
        home = new_home(*size)
        moments = _kill_until_done(worker, home, lengths[size], campaign)
        _check(worker, home, moments, campaign, loaded=campaign.homes % 20 == 0)
        shutil.rmtree(home)
        campaign.kills += len(moments)
        campaign.note()
    print(f"{campaign.kills} kills in {campaign.homes} homes, all found right")
    assert campaign.kills > before or campaign.kills >= wanted
