"""Sign-in by OAuth 2.0 (RFC 6749, 7009, 7636): oauthlib makes and reads the messages, our own session carries them."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauthlib.oauth2 import BackendApplicationClient, MismatchingStateError, OAuth2Error, WebApplicationClient

from connector_service.domain.problems import ConnectorError, NeedsUser, OutcomeUnknown, RetryLater, SettingsFault
from connector_service.http.answers import Answer, Body, to_json
from connector_service.http.client import Session

_VERIFIER_LENGTH: Final = 64
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


class ClientAuth(StrEnum):
    """How the app shows who it is when it asks for tokens (RFC 6749, 2.3.1)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    NONE = "none"
    """A public app: PKCE instead of a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How a maker grants access: data only. Lifetimes are used where an answer does not tell them."""

    title: str
    authorize_url: str
    token_url: str
    revoke_url: str = ""
    scopes: tuple[str, ...] = ()
    client_auth: ClientAuth = ClientAuth.BASIC
    pkce: bool = False
    authorize_extra: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of the sign-in page's address."""
    kept_parameters: tuple[str, ...] = ()
    """Parameters of the redirect to keep with the tokens: Intuit's ``realmId``."""
    access_seconds: int = 3600
    refresh_early_seconds: int = 300
    """How long before its end an access token is renewed; at most a fifth of its life."""
    refresh_after_seconds: int = 0
    """The soonest that the maker renews an access token (Exact Online: 570)."""
    refresh_seconds: int | None = None
    """How long a refresh token lives when it is not used; ``None`` is no end known."""
    refresh_field: str = "refresh_token_expires_in"
    """The field of a token answer with that life in seconds (Intuit: ``x_refresh_token_expires_in``)."""
    ceiling_seconds: int | None = None
    """When a new sign-in is needed in any case, counted from the last one (Intuit: five years)."""
    grace_seconds: int = 0
    """How long a refresh token still works after it was exchanged (Xero: 1800)."""
    dead_signs: tuple[str, ...] = ("invalid_grant",)
    """Words in an error's code or description that mean that the grant is gone."""
    revoke_as_json: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """A sign-in that was begun: what is needed to check its redirect."""

    address: str
    """Of the maker's sign-in page."""
    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Redirect:
    """What a redirect brought back, its state checked."""

    code: str = field(repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """A token answer. Seconds count from the moment of the request."""

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_in_seconds: int | None = None
    refresh_in_seconds: int | None = None
    scopes: tuple[str, ...] = ()


class GrantDead(NeedsUser):
    """The maker no longer accepts the grant: a person must sign in again."""


def from_pasted(address: str, state: str, title: str) -> Redirect:
    """The redirect out of an address that a browser ended on, for a sign-in whose state this is.

    Raises ``NeedsUser`` where access was denied, or the address is not that of this sign-in.
    """
    address = address.strip()
    parameters = dict(parse_qsl(urlsplit(address).query or address.lstrip("?"), keep_blank_values=True))
    if not parameters.keys() & {"code", "error"}:
        raise NeedsUser(
            "This address holds no answer to a sign-in.",
            why="It has neither a code nor a reason in it.",
            fix="Sign in, wait until the browser shows the last page, and copy the whole text of its address bar.",
            code="SIGN_IN_NEEDED",
        )
    reader = WebApplicationClient("")
    try:
        # oauthlib takes https only, and a redirect to this computer is http: only the query counts here.
        found = reader.parse_request_uri_response(f"https://localhost/?{urlencode(parameters)}", state)
    except MismatchingStateError:
        raise NeedsUser(
            "This answer does not belong to the sign-in that was begun here.",
            why="It carries another mark, as the answer to an older or somebody else's sign-in does.",
            fix="Begin the sign-in again and use the page that it opens.",
            code="SIGN_IN_NEEDED",
        ) from None
    except OAuth2Error as fault:
        denied = fault.error == "access_denied"
        raise NeedsUser(
            f"{title} did not give access.",
            why="The question for access was answered with no." if denied else _said(fault),
            fix="Begin the sign-in again and allow the access that the page asks for.",
            code="SIGN_IN_NEEDED",
        ) from None
    return Redirect(str(found["code"]), parameters)


class OAuthClient:
    """One registered app at one maker."""

    def __init__(self, provider: Provider, session: Session, client_id: str, client_secret: str = "") -> None:
        """``session`` has no credentials and knows the provider's addresses (``other_urls``)."""
        self.provider = provider
        self._session, self._id, self._secret = session, client_id, client_secret

    def begin(self, redirect_uri: str) -> Consent:
        """Begin a sign-in: the address to open, and what its redirect is checked against."""
        provider, client = self.provider, WebApplicationClient(self._id)
        state, verifier = secrets.token_urlsafe(32), ""
        extra: dict[str, str] = dict(provider.authorize_extra)
        if provider.pkce:
            verifier = client.create_code_verifier(_VERIFIER_LENGTH)
            extra |= {
                "code_challenge": client.create_code_challenge(verifier, "S256"),
                "code_challenge_method": "S256",
            }
        scope: list[object] | None = list(provider.scopes) or None
        address = _over_tls(
            provider.authorize_url,
            lambda url: client.prepare_request_uri(url, redirect_uri=redirect_uri, scope=scope, state=state, **extra),
        )
        return Consent(address, redirect_uri, state, verifier)

    def exchange(self, consent: Consent, redirect: Redirect) -> Granted:
        """Tokens for the code of a redirect; raises ``NeedsUser`` or ``RetryLater``."""
        client = WebApplicationClient(self._id)
        body = client.prepare_request_body(
            code=redirect.code,
            redirect_uri=consent.redirect_uri,
            include_client_id=False,
            code_verifier=consent.verifier or None,
        )
        try:
            granted = self.ask_for_tokens(dict(parse_qsl(body)))
        except OutcomeUnknown as fault:
            # A code works once, and its answer is lost: only a new sign-in gives another.
            raise self._sign_in_again(fault.why) from fault
        except GrantDead as fault:
            raise self._sign_in_again("The sign-in took too long, or its answer was used already.") from fault
        missing = [scope for scope in self.provider.scopes if granted.scopes and scope not in granted.scopes]
        if missing:
            raise self._sign_in_again(f"It gave less access than is needed: {', '.join(missing)} is missing.")
        return granted

    def refresh(self, refresh_token: str) -> Granted:
        """New tokens for a refresh token.

        Raises ``GrantDead`` where it is no longer accepted, ``OutcomeUnknown`` where the answer was lost so that the
        token may be used up, ``RetryLater`` where nothing happened, ``NeedsUser`` where the app itself is not accepted.
        """
        body = WebApplicationClient(self._id).prepare_refresh_body(refresh_token=refresh_token)
        return self.ask_for_tokens(dict(parse_qsl(body)))

    def own_access(self) -> Granted:
        """A token for the app itself, without a person (client credentials; RFC 6749, 4.4)."""
        client = BackendApplicationClient(self._id)
        body = client.prepare_request_body(include_client_id=False, scope=list(self.provider.scopes) or None)
        return self.ask_for_tokens(dict(parse_qsl(body)))

    def ask_for_tokens(self, form: Mapping[str, str]) -> Granted:
        """Ask the token address with a form of one's own, for makers with a grant type of their own."""
        answer = self._post(self.provider.token_url, dict(form))
        if answer.kind is Body.JSON:
            answer.json(dict[str, Any])  # oauthlib expects nothing else
        try:
            token: dict[str, Any] = WebApplicationClient(self._id).parse_request_body_response(_text(answer))
        except OAuth2Error as fault:
            raise self._refused(fault, answer) from None
        except ValueError as fault:
            raise answer.unreadable("Its answer to the request for tokens has no usable numbers.") from fault
        scope = token.get("scope") or ()
        return Granted(
            str(token["access_token"]),
            str(token.get("refresh_token") or ""),
            _seconds(token.get("expires_in")),
            _seconds(token.get(self.provider.refresh_field)),
            tuple(scope.split() if isinstance(scope, str) else scope),
        )

    def revoke(self, token: str) -> None:
        """Give a grant back (RFC 7009); one that is gone already is no fault. Raises ``RetryLater``."""
        provider = self.provider
        try:
            if provider.revoke_as_json:
                answer = self._post(provider.revoke_url, {"token": token}, as_json=True)
            else:
                answer = self._post(provider.revoke_url, {"token": token, "token_type_hint": "refresh_token"})
        except OutcomeUnknown as fault:
            raise RetryLater(
                f"It is not known whether {provider.title} took back the access.", why=fault.why, fix="Try it again."
            ) from fault
        if answer.status in (401, 403):
            raise self._app_refused(f"It answered with status {answer.status}.")

    # -- inside -------------------------------------------------------------------------------------------------------

    def _post(self, url: str, form: dict[str, str], as_json: bool = False) -> Answer:
        headers = {"content-type": "application/json"} if as_json else dict(_FORM)
        match self.provider.client_auth:
            case ClientAuth.BASIC:
                # Sent as makers document it: the id and the secret as they are (RFC 6749 would encode them first).
                pair = f"{self._id}:{self._secret}".encode()
                headers["authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
            case ClientAuth.POST:
                form |= {"client_id": self._id, "client_secret": self._secret}
            case ClientAuth.NONE:
                form |= {"client_id": self._id}
        body = to_json(form) if as_json else urlencode(form).encode("ascii")
        return self._session.write(url, headers=headers, body=body, expect=None)

    def _refused(self, fault: OAuth2Error, answer: Answer) -> ConnectorError:
        said = f"{fault.error} {fault.description or ''}".lower()
        if any(sign in said for sign in self.provider.dead_signs):
            return self.dead(_said(fault))
        if fault.error in ("invalid_client", "unauthorized_client"):
            return self._app_refused(_said(fault))
        if fault.error in ("invalid_scope", "unsupported_grant_type", "invalid_request"):
            return SettingsFault(
                f"{self.provider.title} does not grant what this program asks for.",
                why=_said(fault),
                fix="Look at the app's rights and redirect addresses on the maker's page for developers.",
                code="SETTINGS_WRONG",
            )
        if answer.ok:
            return answer.unreadable("Its answer to the request for tokens has none.")
        # A fault that says nothing of the grant must not end it.
        return RetryLater(
            f"{self.provider.title} gave no access for now.",
            why=_said(fault),
            fix="It is tried again by itself.",
            code=self._session.options.unreachable_code,
        )

    def dead(self, why: str) -> GrantDead:
        """The fault for a grant that is gone; the step that mends it is put in by who knows the route."""
        return GrantDead(f"{self.provider.title} no longer accepts the connection.", why=why, code="GRANT_DEAD")

    def _app_refused(self, why: str) -> NeedsUser:
        return NeedsUser(
            f"{self.provider.title} does not accept the app's id or secret.",
            why=why,
            fix="Copy both again from the maker's page for developers: `connector secret set ROUTE client_id`, then"
            " client_secret.",
            code="SIGN_IN_NEEDED",
        )

    def _sign_in_again(self, why: str) -> NeedsUser:
        return NeedsUser(
            f"The sign-in to {self.provider.title} did not come to its end.",
            why=why,
            fix="Sign in once more.",
            code="SIGN_IN_NEEDED",
        )


def _over_tls(url: str, make: Callable[[str], str]) -> str:
    """Let oauthlib, which takes https only, work on an address of this computer; the session has checked the others."""
    if not url.startswith("http://"):
        return make(url)
    return "http" + make("https" + url.removeprefix("http")).removeprefix("https")


def _text(answer: Answer) -> str:
    return answer.body.decode("utf-8-sig", "replace")


def _seconds(value: object) -> int | None:
    text = str(value) if value is not None else ""
    return int(text) if text.isdecimal() else None


def _said(fault: OAuth2Error) -> str:
    words = (fault.description or "").strip().rstrip(".")[:200]
    return f"It says: {fault.error}{f' ({words})' if words else ''}."
