"""The token keeper against a real authorization server: rotation, crashes, many processes, dead grants."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector_service.contract.crashpoints import KILLED
from connector_service.domain.problems import NeedsUser, RetryLater
from connector_service.http.oauth import Granted
from connector_service.http.tokens import SECRET
from connector_service.vault.file import FileVault
from tests.fakes.oauth import Authority, AuthorityServer, Fault
from tests.unit.http.sign_in import client, given, keeper

ROOT = Path(__file__).resolve().parents[3]
HOUR = 3600


class Books:
    """A home with a signed-in route, the authority, and a clock that both follow."""

    def __init__(self, home: Path, authority: Authority, url: str) -> None:
        self.home, self.authority, self.url = home, authority, url
        self.ahead = 0.0
        self.waited: list[float] = []

    def wall(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += seconds
        self.authority.advance(seconds)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.advance(seconds)

    def keeper(self, **changes: Any) -> Any:
        return keeper(self.home, self.url, self.wall, pause=self.wait, **changes)

    def stored(self) -> dict[str, Any]:
        text = FileVault(self.home / "vault.json").get("main", SECRET)
        assert text is not None
        found: dict[str, Any] = json.loads(text)
        return found

    def run(self, *, crash_at: str = "", grace: int = 0, count: int = 1) -> tuple[int, list[str]]:
        """Let that many other processes ask for the access at once: exit status and what they printed."""
        command = [sys.executable, "-m", "tests.unit.http.refresh_once", str(self.home), self.url, str(self.wall())]
        environment = os.environ | ({"CONNECTOR_CRASH_AT": crash_at} if crash_at else {})
        ended = subprocess.run(
            [*command, str(grace), str(count)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return ended.returncode, ended.stdout.split("\n")[:-1]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    authority = Authority()
    with AuthorityServer(authority) as server:
        found = Books(tmp_path, authority, server.url)
        found.keeper().connect(given(authority.grant()), {"realmId": "4620"})
        yield found


def refreshes(authority: Authority) -> list[str]:
    return [how for what, how in authority.asked if what == "refresh_token"]


def test_access_is_used_until_shortly_before_its_end_and_then_renewed_once(books: Books) -> None:
    tokens = books.keeper()
    first = tokens.headers()
    books.advance(HOUR - 301)
    assert tokens.headers() == first
    assert refreshes(books.authority) == []
    books.advance(2)
    second = tokens.headers()
    assert second != first
    assert books.keeper().headers() == second, "another process finds the new token in the vault"
    assert refreshes(books.authority) == ["granted"]
    assert books.authority.accepts(second["authorization"])
    assert books.stored()["company"] == {"realmId": "4620"}


def test_every_refresh_uses_the_token_of_the_last_one(books: Books) -> None:
    tokens = books.keeper()
    for _ in range(5):
        books.advance(HOUR)
        assert books.authority.accepts(tokens.headers()["authorization"])
    assert refreshes(books.authority) == ["granted"] * 5
    assert books.authority.good_refresh_tokens() == [books.stored()["refresh_token"]]


def test_twenty_processes_at_once_leave_one_good_grant(books: Books) -> None:
    books.advance(HOUR)
    _, printed = books.run(count=20)
    headers = set(printed)
    assert len(printed) == 20
    assert len(headers) == 1, headers
    assert books.authority.accepts(headers.pop())
    assert refreshes(books.authority) == ["granted"]
    assert books.authority.good_refresh_tokens() == [books.stored()["refresh_token"]]


def test_threads_do_not_wait_for_the_one_that_renews_in_time(books: Books) -> None:
    tokens = books.keeper()
    first = tokens.headers()
    books.advance(HOUR - 200)
    books.authority.order(Fault.SLOW)
    found: list[dict[str, str]] = []
    one = threading.Thread(target=lambda: found.append(tokens.headers()))
    one.start()
    while not refreshes(books.authority):
        assert one.is_alive()
    assert tokens.headers() == first
    books.authority.go_on.set()
    one.join(20)
    assert found
    assert found[0] != first
    assert tokens.headers() == found[0]


@pytest.mark.parametrize("point", ["oauth.begun", "oauth.stored"])
def test_crash_before_sending_or_after_storing_costs_nothing(books: Books, point: str) -> None:
    books.advance(HOUR)
    status, _ = books.run(crash_at=point)
    assert status == KILLED
    assert ("begun_at" in books.stored()) == (point == "oauth.begun")
    assert books.authority.accepts(books.keeper().headers()["authorization"])
    assert refreshes(books.authority) == ["granted"]
    assert "begun_at" not in books.stored()


def test_crash_after_the_answer_is_survived_within_the_grace(books: Books) -> None:
    books.authority.grace_seconds = 1800
    books.advance(HOUR)
    status, _ = books.run(crash_at="oauth.answered", grace=1800)
    assert status == KILLED
    books.advance(1700)
    assert books.authority.accepts(books.keeper(grace_seconds=1800).headers()["authorization"])
    assert refreshes(books.authority) == ["granted", "granted"]


@pytest.mark.parametrize("grace", [0, 1800])
def test_crash_after_the_answer_beyond_the_grace_asks_for_one_sign_in(books: Books, grace: int) -> None:
    books.authority.grace_seconds = grace
    books.advance(HOUR)
    status, _ = books.run(crash_at="oauth.answered", grace=grace)
    assert status == KILLED
    books.advance(grace + 60)
    tokens = books.keeper(grace_seconds=grace)
    faults = set()
    for _ in range(3):
        with pytest.raises(NeedsUser) as caught:
            tokens.headers()
        assert caught.value.code == "GRANT_DEAD"
        assert "answer to the last renewal was lost" in caught.value.why
        assert "connector connect main" in caught.value.fix
        faults.add(str(caught.value))
    assert len(faults) == 1
    assert refreshes(books.authority) == ["granted", "invalid_grant"], "the maker is asked once"
    assert books.stored()["company"] == {"realmId": "4620"}


def test_new_sign_in_ends_the_dead_grant(books: Books) -> None:
    tokens = books.keeper()
    tokens.headers()
    books.authority.revoke_all()
    books.advance(HOUR)
    with pytest.raises(NeedsUser) as caught:
        tokens.headers()
    assert caught.value.code == "GRANT_DEAD"
    state = tokens.state()
    assert not state.connected
    assert "invalid_grant" in state.why
    # Another process signs in; this one goes on by itself.
    books.keeper().connect(given(books.authority.grant()))
    assert books.authority.accepts(tokens.headers()["authorization"])


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BROKEN, Fault.PAGE, Fault.CUT])
def test_lost_answer_is_asked_for_again_at_once(books: Books, fault: Fault) -> None:
    books.authority.grace_seconds = 60
    books.advance(HOUR)
    books.authority.order(fault)
    header = books.keeper().headers()["authorization"]
    assert books.authority.accepts(header)
    assert refreshes(books.authority) == ["granted", "granted"]
    assert books.stored()["access_token"] in header


def test_lost_answer_without_grace_is_told_as_what_it_was(books: Books) -> None:
    books.advance(HOUR)
    books.authority.order(Fault.LOST)
    with pytest.raises(NeedsUser) as caught:
        books.keeper().headers()
    assert caught.value.code == "GRANT_DEAD"
    assert "answer to the last renewal was lost" in caught.value.why


def test_silent_server_is_asked_again_within_the_grace(books: Books) -> None:
    books.authority.grace_seconds = 60
    books.advance(HOUR)
    books.authority.order(Fault.SLOW)
    assert books.authority.accepts(books.keeper(seconds=0.3).headers()["authorization"])


def test_maker_out_of_reach_leaves_the_grant_as_it_was(books: Books) -> None:
    books.advance(HOUR)
    books.authority.order(*[Fault.REFUSED] * 3)
    with pytest.raises(RetryLater):
        books.keeper().headers()
    assert books.authority.accepts(books.keeper().headers()["authorization"])


def test_early_renewal_that_comes_to_nothing_does_not_stop_the_work(books: Books) -> None:
    tokens = books.keeper()
    first = tokens.headers()
    books.advance(HOUR - 200)
    books.authority.order(*[Fault.UNAVAILABLE] * 3)
    assert tokens.headers() == first
    waited = len(books.waited)
    assert tokens.headers() == first
    assert len(books.waited) == waited, "it is not tried again with every call"
    books.advance(60)
    assert tokens.headers() != first


def test_unsent_refresh_is_not_remembered_as_begun(books: Books, tmp_path: Path) -> None:
    books.advance(HOUR)
    with pytest.raises(RetryLater):
        keeper(books.home, "http://127.0.0.1:9", books.wall).headers()
    assert "begun_at" not in books.stored()


def test_refused_token_is_renewed_once_and_a_new_one_is_not(books: Books) -> None:
    tokens, other = books.keeper(), books.keeper()
    first = tokens.headers()
    other.headers()
    books.advance(100)
    second = tokens.renewed(first)
    assert second is not None
    assert second != first
    assert other.renewed(first) == second, "another process has renewed it already"
    assert tokens.renewed(second) is None
    assert refreshes(books.authority) == ["granted"]


def test_maker_that_renews_late_only_is_not_asked_too_soon(books: Books) -> None:
    books.authority.access_seconds = 600
    exact = {"refresh_after_seconds": 570, "access_seconds": 600}
    tokens = books.keeper(**exact)
    tokens.connect(given(books.authority.grant()))
    first = tokens.headers()
    books.advance(560)
    assert tokens.headers() == first
    with pytest.raises(RetryLater) as caught:
        tokens.renewed(first)
    assert 5 <= caught.value.after_seconds <= 11
    books.advance(11)
    assert tokens.headers() != first
    assert refreshes(books.authority) == ["granted"]


def test_server_that_keeps_the_refresh_token(books: Books) -> None:
    books.authority.rotates = False
    before = books.stored()["refresh_token"]
    tokens = books.keeper()
    for _ in range(2):
        books.advance(HOUR)
        assert books.authority.accepts(tokens.headers()["authorization"])
    assert books.stored()["refresh_token"] == before


def test_clock_set_back_renews_instead_of_trusting_an_old_token(books: Books) -> None:
    tokens = books.keeper()
    tokens.headers()
    books.ahead -= 10 * HOUR
    tokens.headers()
    assert refreshes(books.authority) == ["granted"]


def test_disk_that_is_full_after_the_exchange_loses_no_grant(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = FileVault(books.home / "vault.json")
    tokens = books.keeper(vault=vault)
    tokens.headers()
    books.advance(HOUR)
    store, calls = FileVault.set, []

    def full(self: FileVault, route: str, name: str, value: str) -> None:
        calls.append(name)
        if len(calls) == 2:
            raise NeedsUser("The secret could not be stored.", code="VAULT_NOT_WRITABLE")
        store(self, route, name, value)

    monkeypatch.setattr(FileVault, "set", full)
    with pytest.raises(NeedsUser) as caught:
        tokens.headers()
    assert caught.value.code == "VAULT_NOT_WRITABLE"
    assert books.authority.accepts(tokens.headers()["authorization"])
    assert refreshes(books.authority) == ["granted"]
    assert books.authority.good_refresh_tokens() == [books.stored()["refresh_token"]]


def test_days_left_count_down_to_the_nearer_end(books: Books) -> None:
    five_years = 5 * 365 * 86_400
    tokens = books.keeper(ceiling_seconds=five_years)
    assert tokens.state().days_left in (99, 100)
    books.advance(10 * 86_400)
    assert tokens.state().days_left in (89, 90)
    tokens.headers()
    assert tokens.state().days_left in (99, 100), "each renewal gives another hundred days"
    books.advance(1795 * 86_400)
    tokens.connect(given(books.authority.grant()))
    books.advance(1800 * 86_400)
    assert tokens.state().ceiling_days in (24, 25)
    assert tokens.state().days_left == 0


def test_tokens_that_a_person_brings(books: Books) -> None:
    tokens = books.keeper()
    answer = books.authority.grant()
    content = {key: answer[key] for key in ("access_token", "refresh_token")}
    tokens.take(json.dumps(content | {"expires_at": int(books.wall()) + 1800}))
    assert tokens.headers() == {"authorization": f"Bearer {answer['access_token']}"}
    tokens.take("\ufeff" + json.dumps(content | {"expires_at": "2020-01-01T00:00:00Z"}))
    assert tokens.headers() != {"authorization": f"Bearer {answer['access_token']}"}
    assert refreshes(books.authority) == ["granted"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"access_token": 5}', '{"access_token":"a","expires_at":"x"}'])
def test_what_is_no_token_is_told_without_its_content(books: Books, text: str) -> None:
    before = books.stored()
    with pytest.raises(NeedsUser) as caught:
        books.keeper().take(text)
    assert "expires_at" in caught.value.fix
    assert books.stored() == before


def test_nothing_stored_asks_for_the_sign_in(tmp_path: Path) -> None:
    tokens = keeper(tmp_path, "http://127.0.0.1:9", time.time)
    with pytest.raises(NeedsUser) as caught:
        tokens.headers()
    assert "connector connect main" in caught.value.fix
    assert not tokens.state().connected


def test_forgotten_tokens_are_gone(books: Books) -> None:
    tokens = books.keeper()
    tokens.headers()
    tokens.forget()
    assert FileVault(books.home / "vault.json").get("main", SECRET) is None
    with pytest.raises(NeedsUser):
        tokens.headers()


def test_access_of_the_app_itself_needs_no_sign_in(tmp_path: Path) -> None:
    authority = Authority()
    with AuthorityServer(authority) as server:
        found = Books(tmp_path, authority, server.url)
        app = client(server.url, scopes=())

        def renew(_: str) -> Granted:
            return app.own_access()

        tokens = found.keeper(needs_sign_in=False, renew=renew)
        assert authority.accepts(tokens.headers()["authorization"])
        found.advance(HOUR)
        assert authority.accepts(tokens.headers()["authorization"])
    assert [what for what, _ in authority.asked] == ["client_credentials"] * 2


def test_tokens_never_show_themselves(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    tokens = books.keeper()
    tokens.headers()
    books.advance(HOUR)
    tokens.headers()
    shown = caplog.text + repr(tokens._known) + repr(given(books.authority.grant()))
    stored = books.stored()
    assert stored["access_token"] not in shown
    assert stored["refresh_token"] not in shown
