"""Sign-in under the maker's paths: the shared authorization server answers, on the same port as the API."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.oauth import Authority, Client, Fault
from tests.fakes.quickbooks_online.asgi import Receive, Scope, Send

AUTHORIZE: Final = "/connect/oauth2"
TOKEN: Final = "/oauth2/v1/tokens/bearer"
REVOKE: Final = "/v2/oauth2/tokens/revoke"
DISCOVERY: Final = "/.well-known/openid_configuration"
SCOPE: Final = "com.intuit.quickbooks.accounting"


def authority_for(realm: str) -> Authority:
    """An authorization server that behaves as the maker's: the realm comes on the redirect, no PKCE."""
    return Authority(Client(), redirect_extra={"realmId": realm})


def routes(authority: Authority) -> list[Route]:
    """The routes of sign-in."""
    parts = {AUTHORIZE: "/authorize", TOKEN: "/token", REVOKE: "/revoke"}
    found = [Route(path, _Ask(authority, inner), methods=["GET", "POST"]) for path, inner in parts.items()]

    async def discovery(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": base + AUTHORIZE,
                "token_endpoint": base + TOKEN,
                "revocation_endpoint": base + REVOKE,
                "response_types_supported": ["code"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            }
        )

    return [*found, Route(DISCOVERY, discovery)]


class _Ask:
    """Passes a request on to the authority and its answer back, with what was ordered to go wrong."""

    def __init__(self, authority: Authority, path: str) -> None:
        self.authority = authority
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        target = f"{self.path}?{scope['query_string'].decode('latin-1')}"
        body = await request.body()
        reply = self.authority.handle(request.method, target, request.headers, body)
        if reply.fault in (Fault.LOST, Fault.REFUSED):
            await _end(scope, receive, now=True)
            return
        if reply.fault is Fault.SLOW:
            await asyncio.to_thread(self.authority.go_on.wait, 30)
        headers = {"content-type": "application/json", **reply.headers}
        if reply.fault is not Fault.CUT:
            await Response(reply.body, reply.status, headers)(scope, receive, send)
            return
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        half = reply.body[: len(reply.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _end(scope, receive, now=False)


async def _end(scope: Scope, receive: Receive, now: bool) -> None:
    transport = scope["state"]["protocol"].transport
    if now:
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
