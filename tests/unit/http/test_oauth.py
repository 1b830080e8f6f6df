"""Sign-in against a strict authorization server: code flow, PKCE, the redirect, revocation, refusals."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector_service.domain.problems import ConnectorError, NeedsUser, OutcomeUnknown, RetryLater, SettingsFault
from connector_service.http.catcher import PATH, RedirectCatcher, catch_redirect
from connector_service.http.client import Session
from connector_service.http.connect import Connection
from connector_service.http.oauth import ClientAuth, GrantDead, OAuthClient, from_pasted
from connector_service.http.options import Options
from tests.fakes.oauth import Authority, AuthorityServer, Client, Fault
from tests.unit.http.sign_in import client, keeper
from tests.unit.http.wire import Wire, reply, says

REDIRECT = f"http://localhost:8731{PATH}"


@pytest.fixture
def authority() -> Iterator[tuple[Authority, str]]:
    found = Authority(
        Client(),
        Client("post", "s&cret=", "client_secret_post"),
        Client("public", "", "none", pkce=True),
        redirect_extra={"realmId": "4620"},
    )
    with AuthorityServer(found) as server:
        yield found, server.url


def consented(address: str) -> str:
    """What the browser ends on when the person agrees."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay)
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(address, timeout=20)
    assert caught.value.code == 302
    return str(caught.value.headers["location"])


def app(url: str, name: str, secret: str, how: ClientAuth, **changes: Any) -> OAuthClient:
    known = client(url, client_auth=how, **changes)
    return OAuthClient(known.provider, Session(Options(title="Ledgerly", base_url=url)), name, secret)


@pytest.mark.parametrize(
    ("name", "secret", "how", "pkce"),
    [
        ("app", "app-secret", ClientAuth.BASIC, False),
        ("app", "app-secret", ClientAuth.BASIC, True),
        ("post", "s&cret=", ClientAuth.POST, False),
        ("public", "", ClientAuth.NONE, True),
    ],
)
def test_sign_in_from_the_address_to_the_tokens(
    authority: tuple[Authority, str], name: str, secret: str, how: ClientAuth, pkce: bool
) -> None:
    there, url = authority
    known = app(url, name, secret, how, pkce=pkce)
    consent = known.begin(REDIRECT)
    asked = parse_qs(urlsplit(consent.address).query)
    assert asked["scope"] == ["books"]
    assert ("code_challenge" in asked) == pkce
    redirect = from_pasted(consented(consent.address), consent.state, "Ledgerly")
    assert redirect.parameters["realmId"] == "4620"
    granted = known.exchange(consent, redirect)
    assert there.accepts(f"Bearer {granted.access_token}")
    assert (granted.expires_in_seconds, granted.refresh_in_seconds) == (3600, 8_640_000)
    assert there.accepts(f"Bearer {known.refresh(granted.refresh_token).access_token}")
    for part in (redirect.code, consent.state, granted.access_token, granted.refresh_token):
        assert part not in repr(redirect) + repr(granted) + repr(consent).replace(consent.address, "")


def test_every_sign_in_has_its_own_marks(authority: tuple[Authority, str]) -> None:
    known = client(authority[1], pkce=True)
    one, two = known.begin(REDIRECT), known.begin(REDIRECT)
    assert one.state != two.state
    assert one.verifier != two.verifier
    assert len(one.state) >= 40


def test_code_of_another_verifier_or_address_or_used_twice_is_refused(authority: tuple[Authority, str]) -> None:
    known = client(authority[1], pkce=True)
    one, two = known.begin(REDIRECT), known.begin(REDIRECT)
    redirect = from_pasted(consented(one.address), one.state, "Ledgerly")
    with pytest.raises(NeedsUser) as caught:
        known.exchange(two, redirect)
    assert caught.value.code == "SIGN_IN_NEEDED"
    redirect = from_pasted(consented(one.address), one.state, "Ledgerly")
    known.exchange(one, redirect)
    with pytest.raises(NeedsUser):
        known.exchange(one, redirect)


def test_less_access_than_asked_for_is_refused(authority: tuple[Authority, str]) -> None:
    known = client(authority[1], scopes=("books", "payroll"))
    consent = client(authority[1]).begin(REDIRECT)
    redirect = from_pasted(consented(consent.address), consent.state, "Ledgerly")
    with pytest.raises(NeedsUser) as caught:
        known.exchange(consent, redirect)
    assert "payroll" in caught.value.why


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BROKEN])
def test_a_lost_answer_to_the_code_asks_for_another_sign_in(authority: tuple[Authority, str], fault: Fault) -> None:
    there, url = authority
    known = client(url)
    consent = known.begin(REDIRECT)
    redirect = from_pasted(consented(consent.address), consent.state, "Ledgerly")
    there.order(fault)
    with pytest.raises(NeedsUser) as caught:
        known.exchange(consent, redirect)
    assert "once more" in caught.value.fix


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"{REDIRECT}?code=abc&state=wrong", "belong"),
        (f"{REDIRECT}?code=abc", "belong"),
        (f"{REDIRECT}?error=access_denied&state=mark", "did not give access"),
        (f"{REDIRECT}?error=server_error&error_description=Busy&state=mark", "Busy"),
        (REDIRECT, "no answer to a sign-in"),
        ("", "no answer to a sign-in"),
        ("https://ledgerly.example/login", "no answer to a sign-in"),
    ],
)
def test_pasted_addresses_that_are_not_the_answer(text: str, word: str) -> None:
    with pytest.raises(NeedsUser) as caught:
        from_pasted(text, "mark", "Ledgerly")
    assert word in f"{caught.value}"
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("text", [f" {REDIRECT}?state=mark&code=a%2Fb\n", "?code=a%2Fb&state=mark"])
def test_pasted_addresses_as_browsers_give_them(text: str) -> None:
    assert from_pasted(text, "mark", "Ledgerly").code == "a/b"


@pytest.mark.parametrize(
    ("content", "kind", "word"),
    [
        (reply(400, b'{"error": "invalid_grant"}'), GrantDead, "invalid_grant"),
        (
            reply(401, b'{"error":"unauthorized_client","error_description":"Old refresh token used."}'),
            GrantDead,
            "Old refresh token used",
        ),
        (reply(401, b'{"error": "unauthorized_client"}'), NeedsUser, "unauthorized_client"),
        (reply(401, b'{"error": "invalid_client"}'), NeedsUser, "invalid_client"),
        (reply(400, b'{"error": "invalid_scope"}'), SettingsFault, "invalid_scope"),
        (reply(400, b'{"error": "error", "error_description": "x"}'), RetryLater, "error (x)"),
        (reply(400, b'{"error": "temporarily_unavailable"}'), RetryLater, "temporarily"),
        (reply(429, b"{}", retry_after="9"), RetryLater, "too many"),
        (reply(200, b'{"error": "invalid_grant"}'), GrantDead, "invalid_grant"),
        (reply(200, b"{}"), OutcomeUnknown, ""),
        (reply(200, b"[1]"), OutcomeUnknown, ""),
        (reply(200, b"7"), OutcomeUnknown, ""),
        (reply(200, b'{"access_token": "a", "expires_in": "soon"}'), OutcomeUnknown, ""),
        (reply(200, b"<html></html>", "text/html"), OutcomeUnknown, ""),
        (reply(500, b'{"error": "invalid_grant"}'), OutcomeUnknown, "500"),
        (reply(403, b"<html></html>", "text/html"), OutcomeUnknown, "403"),
    ],
)
def test_answers_to_a_refresh(content: bytes, kind: type[ConnectorError], word: str) -> None:
    with Wire([says(content)]) as wire:
        known = client(wire.url, dead_signs=("invalid_grant", "old refresh token"))
        with pytest.raises(kind) as caught:
            known.refresh("r1")
        assert type(caught.value) is kind
        assert word in caught.value.why
        assert len(wire.requests) == 1


def test_answers_as_makers_give_them() -> None:
    text = b'\xef\xbb\xbf{"token_type": "bearer", "expires_in": "1800", "refresh_token": null, "access_token": "a"}'
    with Wire([says(reply(200, text))]) as wire:
        granted = client(wire.url).refresh("r1")
    assert (granted.access_token, granted.refresh_token, granted.expires_in_seconds) == ("a", "", 1800)


def test_samples_of_intuit(shared: Path) -> None:
    for name in ("success_token_response", "success_refreshtoken_response"):
        text = (shared / "specs" / "qbo" / "oauth-samples" / f"{name}.json").read_bytes()
        with Wire([says(reply(200, text))]) as wire:
            granted = client(wire.url).refresh("r1")
        assert (granted.expires_in_seconds, granted.refresh_in_seconds) == (3600, 15_552_000)
        assert granted.access_token == json.loads(text.decode("utf-8-sig"))["access_token"]


# -- the redirect catcher ---------------------------------------------------------------------------------------------


def fetch(port: int, target: str, host: str = "localhost", address: str = "127.0.0.1") -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    where = f"[{address}]" if ":" in address else address
    asked = urllib.request.Request(f"http://{where}:{port}{target}", headers={"Host": f"{host}:{port}"})
    try:
        with opener.open(asked, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()


def test_the_redirect_is_caught_and_answered_in_words() -> None:
    with RedirectCatcher(0, PATH, "mark", "Ledgerly") as catcher, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(catcher.wait, 20)
        for target, host, status in (
            ("/favicon.ico", "localhost", 404),
            (f"{PATH}?code=evil&state=other", "localhost", 400),
            (f"{PATH}?code=evil", "localhost", 400),
            (f"{PATH}?code=evil&state=mark", "books.example", 403),
            (f"/x{'y' * 20_000}", "localhost", 414),
        ):
            assert fetch(catcher.port, target, host)[0] == status
        assert not waiting.done()
        status, page = fetch(catcher.port, f"{PATH}?code=good&state=mark&realmId=1")
        found = waiting.result(20)
    assert status == 200
    assert "Signed in" in page
    assert "good" not in page
    assert (found.code, found.parameters["realmId"]) == ("good", "1")


def test_the_newer_address_of_this_computer_is_answered_too() -> None:
    with RedirectCatcher(0, PATH, "mark") as catcher:
        if len(catcher._servers) < 2:
            pytest.skip("this computer has no IPv6 loopback")
        assert fetch(catcher.port, f"{PATH}?code=good&state=mark", "[::1]", "::1")[0] == 200
        assert catcher.wait(20).code == "good"


def test_a_denied_access_is_told_on_the_page_and_here() -> None:
    with RedirectCatcher(0, PATH, "mark", "Led<gerly") as catcher:
        status, page = fetch(catcher.port, f"{PATH}?error=access_denied&state=mark")
        with pytest.raises(NeedsUser) as caught:
            catcher.wait(20)
    assert status == 200
    assert "Not connected" in page
    assert "Led&lt;gerly" in page
    assert "did not give access" in caught.value.what


def test_no_answer_in_time_and_a_taken_port() -> None:
    with pytest.raises(NeedsUser) as caught:
        catch_redirect(0, PATH, "mark", 0.05, "Ledgerly")
    assert "--paste" in caught.value.fix
    with RedirectCatcher(0, PATH, "mark") as catcher, pytest.raises(NeedsUser) as taken:
        catch_redirect(catcher.port, PATH, "mark", 1)
    assert str(catcher.port) in taken.value.what


# -- connecting a route -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_json", [False, True])
def test_a_route_is_connected_and_disconnected(tmp_path: Path, authority: tuple[Authority, str], as_json: bool) -> None:
    there, url = authority
    tokens = keeper(tmp_path, url, there.now)
    connection = Connection(client(url, kept_parameters=("realmId",), revoke_as_json=as_json), tokens)
    assert not connection.state().connected
    consent = connection.begin(REDIRECT)
    connection.complete(consent, from_pasted(consented(consent.address), consent.state, "Ledgerly"))
    state = connection.state()
    assert state.connected
    assert state.company == {"realmId": "4620"}
    assert state.days_left in (99, 100)
    header = tokens.headers()["authorization"]
    assert there.accepts(header)
    connection.disconnect()
    assert not there.accepts(header)
    assert not connection.state().connected
    connection.disconnect()


def test_a_disconnect_that_cannot_reach_the_maker_keeps_the_tokens(
    tmp_path: Path, authority: tuple[Authority, str]
) -> None:
    there, url = authority
    tokens = keeper(tmp_path, url, there.now)
    consent = client(url).begin(REDIRECT)
    Connection(client(url), tokens).complete(
        consent, from_pasted(consented(consent.address), consent.state, "Ledgerly")
    )
    with pytest.raises(RetryLater):
        Connection(client("http://127.0.0.1:9"), tokens).disconnect()
    assert tokens.state().connected
