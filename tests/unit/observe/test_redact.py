import base64
import json
import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_service.observe import HIDDEN, Redactor
from connector_service.observe.redact import EMAIL


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2hunter2",
        "authorization: basic hunter2hunter2 and more",
        "{'Authorization': 'Bearer hunter2hunter2', 'Accept': 'x'}",
        "[(b'authorization', b'Bearer hunter2hunter2')]",
        '{"authorization":"Basic hunter2hunter2"}',
        '{\\"authorization\\": \\"Basic hunter2hunter2\\"}',
        "Proxy-Authorization:hunter2hunter2",
        "Cookie: a=b; session=hunter2hunter2",
        "Set-Cookie: session=hunter2hunter2; HttpOnly",
        "Ocp-Apim-Subscription-Key: hunter2hunter2",
        "X-CSRF-Token => hunter2hunter2",
        "sent bearer hunter2hunter2",
        "Bearer%20hunter2hunter2",
        "postgresql://app:hunter2hunter2@db/shop is out of reach",
        "postgresql://app:hunter2@hunter2@db/shop",
        "postgresql://app:hun/ter2#hunter2@db/shop",
        "connect to mssql+pyodbc://:hunter2hunter2@db/shop?x=y failed",
        "https://hunter2hunter2@host/path",
        "password=hunter2hunter2",
        "Password : hunter2hunter2",
        "PWD=hunter2,hunter2;UID=app",
        "PWD={hunter2;hunter2};UID=app",
        'PASSWORD="hunter2 hunter2"',
        "new_password_again='hunter2 \\' hunter2'",
        "grant_type=refresh_token&refresh_token=hunter2hunter2&client_id=x",
        "client_secret=hunter2hunter2",
        '{"access_token":"hunter2hunter2","expires_in":3600}',
        "{'refresh_token': 'hunter2hunter2'}",
        "('api_key', 'hunter2hunter2')",
        "apiKey: hunter2hunter2",
        "subscription-key=hunter2hunter2",
        "code_verifier=hunter2hunter2",
        "GET /oauth/callback?code=hunter2hunter2&realmId=1",
        "GET /cb?a=b&state=hunter2hunter2",
        "<Password>hunter2hunter2</Password>",
        "<ns:strPassword xsi:type='x'>hunter2hunter2</ns:strPassword>",
        "<ticket>hunter2hunter2</ticket>",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4\nDEK-Info: A-B\n\nhunter2hunter2\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nhunter2hunter2 (cut off",
        "eyJhbGciOiJIUzI1NiJ9.hunter2hunter2.hunter2",
        "ValueError(\"password='hunter2hunter2' was refused\")",
    ],
)
def test_what_stands_where_secrets_stand_is_hidden(text: str) -> None:
    clean = Redactor()(text)
    assert "hunter2" not in clean
    assert HIDDEN in clean


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ann.smith+x@example.co.uk", EMAIL),
        ("Write to <ann@example.com>, bob@example.org.", f"Write to <{EMAIL}>, {EMAIL}."),
        ('"ann smith"@example.com wrote', f"{EMAIL} wrote"),
        ("jörg@bäckerei.de", EMAIL),
        ("to=ann%40example.com&x=1", f"to={EMAIL}&x=1"),
        ("mailto:o'brien@example.com", f"mailto:{EMAIL}"),
        ("root@localhost", EMAIL),
        ("a@[192.168.1.1]", EMAIL),
    ],
)
def test_mail_addresses_are_hidden(text: str, left: str) -> None:
    assert Redactor()(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Route main: 117 of 120 exported, 2 held, 1 refused.",
        "INV-1001 is held: the customer is not linked (PARTY_NOT_LINKED). code=PARTY_NOT_LINKED",
        "GET https://api.example.com:8443/v3/company/123/query?minorversion=75 answered 503 in 0.4 s",
        "The password of the database is not stored yet. Run: connector secret set main password",
        "token_url = https://oauth.example.com/token",
        "C:\\Invoices\\2026 was read; 5 @ 3.00 = 15.00",
        "sqlite:///C:/data/shop.db",
    ],
)
def test_ordinary_entries_stay_as_they_are(text: str) -> None:
    assert Redactor()(text) == text


secrets = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=6, max_size=30).filter(
    lambda text: len(set(text)) > 4 and "hidden" not in text
)


@given(secrets, st.sampled_from(["plain", "url", "form", "json", "ascii json", "repr", "xml", "twice"]))
@settings(max_examples=300, deadline=None)
def test_known_secrets_are_hidden_in_every_spelling(secret: str, spelling: str) -> None:
    from html import escape
    from urllib.parse import quote, quote_plus

    redact = Redactor()
    redact.add(secret)
    spelt = {
        "plain": secret,
        "url": quote(secret, safe=""),
        "form": quote_plus(secret),
        "json": json.dumps(secret, ensure_ascii=False)[1:-1],
        "ascii json": json.dumps(secret)[1:-1],
        "repr": repr(secret)[1:-1],
        "xml": escape(secret),
        "twice": secret + secret,
    }[spelling]
    assert spelt not in redact(f"before {spelt} after")


def test_of_two_secrets_the_longer_one_goes_first() -> None:
    redact = Redactor()
    redact.add("abcdef")
    redact.add("abcdefghi")
    assert redact("x abcdefghi y") == f"x {HIDDEN} y"


def test_lines_of_a_long_secret_are_hidden_by_themselves() -> None:
    redact = Redactor()
    redact.add("first line of it\nsecond line of it\n")
    assert redact("saw second line of it here") == f"saw {HIDDEN} here"


def test_short_secrets_do_not_eat_the_log() -> None:
    redact = Redactor()
    for secret in ("", "a", "sa", "abc"):
        redact.add(secret)
    assert redact("a sample: abc") == "a sample: abc"
    assert "abc" not in redact("password=abc")


def test_named_values() -> None:
    value = Redactor().value
    assert value("password", "x") == HIDDEN
    assert value("accessToken", ["x"]) == HIDDEN
    assert value("token_url", "https://example.com/t") == "https://example.com/t"
    assert value("total", Decimal("1.20")) == Decimal("1.20")
    assert value("day", date(2026, 1, 1)) == date(2026, 1, 1)
    assert value("answer", {"api_key": "x", "to": ["ann@example.com", 3]}) == {"api_key": HIDDEN, "to": [EMAIL, 3]}
    assert "hunter2" not in str(value("fault", ValueError("password=hunter2")))
    assert "hunter2" not in str(value("body", b"password=hunter2"))


@pytest.mark.parametrize(
    "unit",
    ["a", "@", "a@", "://", "://a:b@", "://a:", '"', "\\", "password", "password=", "password='",
     "<password ", "<", "{", "-",
     "-----BEGIN PRIVATE KEY-----", "eyJ", "eyJaaaaaaa.", "bearer ", "Authorization: ", "a.", "%40", "a%40", "&code=",
     "token\\\\", "é"],
)  # fmt: skip
def test_hostile_text_costs_linear_time(unit: str) -> None:
    redact = Redactor()
    redact.add("a secret that is known")

    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        begin = time.perf_counter()
        redact(text)
        return time.perf_counter() - begin

    seconds(1000)
    small = min(seconds(20_000) for _ in range(3))
    # 20 times the text: 20 times the time where it is linear, 400 times where it is quadratic.
    assert min(seconds(400_000) for _ in range(2)) < 160 * max(small, 0.002)


def test_base64_of_user_and_password_is_hidden_in_a_header() -> None:
    spelt = base64.b64encode(b"app:hunter2").decode()
    assert spelt not in Redactor()(f"Authorization: Basic {spelt}")
    assert spelt not in Redactor()(f"header Basic {spelt} was sent")
