"""Connecting a route to a maker and letting go of it: what a command or a page does around the sign-in."""

from connector_service.http.grants import GrantState
from connector_service.http.oauth import Consent, OAuthClient, Redirect
from connector_service.http.tokens import TokenKeeper


class Connection:
    """The sign-in of one route."""

    def __init__(self, client: OAuthClient, keeper: TokenKeeper) -> None:
        """``client`` speaks to the maker, ``keeper`` keeps what it gives."""
        self._client, self.keeper = client, keeper

    def begin(self, redirect_uri: str) -> Consent:
        """Begin: the address to open in the browser, and what its redirect is checked against."""
        return self._client.begin(redirect_uri)

    def complete(self, consent: Consent, redirect: Redirect) -> None:
        """Exchange what the redirect brought for tokens and store them; raises ``NeedsUser`` or ``RetryLater``."""
        granted = self._client.exchange(consent, redirect)
        kept = self._client.provider.kept_parameters
        self.keeper.connect(granted, {name: redirect.parameters[name] for name in kept if name in redirect.parameters})

    def disconnect(self) -> None:
        """Give the grant back, then forget the tokens; raises ``RetryLater`` where the maker cannot be reached."""
        token = self.keeper.token_to_revoke()
        if token and self._client.provider.revoke_url:
            self._client.revoke(token)
        self.keeper.forget()

    def state(self) -> GrantState:
        """How the connection stands."""
        return self.keeper.state()
