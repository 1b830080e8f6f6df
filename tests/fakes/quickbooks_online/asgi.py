"""The HTTP side: sign-in, limits, ordered faults, answers. A plain ASGI callable, so that a call costs little."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from tests.fakes.quickbooks_online.faults import gateway
from tests.fakes.quickbooks_online.fields import Json
from tests.fakes.quickbooks_online.limits import Gate, Limits
from tests.fakes.quickbooks_online.orders import Order, Orders
from tests.fakes.quickbooks_online.service import Answer, Call, Service, call_of
from tests.fakes.quickbooks_online.wire import JSON_TYPE, XML_TYPE, moment, to_json, to_xml

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
TokenCheck = Callable[[str], str | None]
"""Access token to the realm that it is good for, ``*`` for any; None when it is not good."""

_API: Final = "/v3/company/"
_PAGE: Final = (
    b"<html>\r\n<head><title>Service unavailable</title></head>\r\n"
    b"<body><center><h1>Service unavailable</h1></center><hr><center>proxy</center></body>\r\n</html>\r\n"
)


class Front:
    """Serves the API itself and hands everything else to another application."""

    def __init__(self, service: Service, check: TokenCheck, other: App) -> None:
        self.service = service
        self.check = check
        self.other = other
        self.limits = Limits()
        self.orders = Orders()
        self.clock: Callable[[], float] = time.monotonic
        self.latency_seconds = 0.0
        """How long every call takes before it is looked at."""
        self._gates: dict[str, Gate] = {}

    def gate(self, realm: str) -> Gate:
        """The limits' windows of a realm."""
        if realm not in self._gates:
            self._gates[realm] = Gate(self.limits, lambda: self.clock())
        return self._gates[realm]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith(_API):
            await self.other(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        realm = scope["path"].split("/")[3]
        counters, gate = self.service.counters, self.gate(realm)
        gate.open += 1
        counters.now_open += 1
        counters.peak_open = max(counters.peak_open, counters.now_open)
        try:
            body = await _body(receive)
            call = call_of(scope["method"], scope["path"], scope["query_string"], headers, body)
            counters.calls[call.kind] += 1
            await _Exchange(self, scope, receive, send, call).run(realm, headers)
        finally:
            gate.open -= 1
            counters.now_open -= 1

    def refusal(self, call: Call, realm: str, headers: dict[bytes, bytes]) -> Answer | None:
        """The answer of the gateway, when it does not let a call through."""
        token = headers.get(b"authorization", b"").decode("latin-1")
        good_for = self.check(token[7:]) if token.startswith("Bearer ") else None
        if good_for is None:
            return self.unauthorized(call)
        if realm not in self.service.companies or good_for not in ("*", realm):
            detail = "The company does not belong to this sign-in."
            return self.gateway(call, 403, "3100", "ApplicationAuthorizationFailed", detail, "AUTHORIZATION")
        gate = self.gate(realm)
        gate.open -= 1  # this call itself
        try:
            limit = gate.refuses(call.kind == "batch")
        finally:
            gate.open += 1
        if limit is None:
            return None
        self.service.counters.throttled[limit] += 1
        return self.throttle(call, 429)

    def unauthorized(self, call: Call, form: str = "") -> Answer:
        """What a call without a good token gets."""
        detail = "Token expired: <REDACTED>"
        return self.gateway(call, 401, "3200", "AuthenticationFailed", detail, "AUTHENTICATION", form)

    def throttle(self, call: Call, status: int, form: str = "") -> Answer:
        """What a call over a limit gets; older servers say 403."""
        detail = "The request limit was reached.  Try again later"
        return self.gateway(call, status, "3001", "ThrottleExceeded", detail, "SERVICE", form)

    def gateway(self, call: Call, status: int, code: str, name: str, detail: str, kind: str, form: str = "") -> Answer:
        """An answer in the gateway's own form."""
        lower, upper = gateway(status, code, name, detail, kind)
        self.service.counters.faults[code] += 1
        if form == "json" or (not form and call.as_json):
            lower["time"] = int(time.time() * 1000)
            return Answer(status, to_json(lower), "application/json")
        return Answer(status, to_xml({"Fault": upper}, self._when()), XML_TYPE)

    def ordered_refusal(self, call: Call, order: Order) -> Answer:
        """The answer of an order that sets the status."""
        if order.status in (403, 429):
            return self.throttle(call, order.status, order.form)
        if order.status == 401:
            return self.unauthorized(call, order.form)
        message = "An application error has occurred while processing your request"
        detail = "System Failure Error: the service could not complete the request"
        fault: Json = {"Error": [{"Message": message, "Detail": detail, "code": order.code}], "type": "SystemFault"}
        self.service.counters.faults[order.code] += 1
        if order.form == "json" or (not order.form and call.as_json):
            return Answer(order.status, to_json({"Fault": fault, "time": self._when()}), JSON_TYPE)
        return Answer(order.status, to_xml({"Fault": fault}, self._when()), XML_TYPE)

    def _when(self) -> str:
        company = next(iter(self.service.companies.values()), None)
        return moment(company.local_now()) if company else ""


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


class _Exchange:
    """One call and its answer, with what was ordered to go wrong."""

    def __init__(self, front: Front, scope: Scope, receive: Receive, send: Send, call: Call) -> None:
        self.front = front
        self.scope = scope
        self.receive = receive
        self.send = send
        self.call = call

    async def run(self, realm: str, headers: dict[bytes, bytes]) -> None:
        front, call = self.front, self.call
        refusal = front.refusal(call, realm, headers)
        if refusal is not None:
            await self.answer(refusal)
            return
        if front.latency_seconds:
            await asyncio.sleep(front.latency_seconds)
        order = front.orders.strike(call.kind, call.body) if front.orders.standing else None
        if order is None:
            await self.answer(front.service.handle(realm, call))
            return
        front.service.counters.ordered[order.what] += 1
        await self._ordered(realm, order)

    async def _ordered(self, realm: str, order: Order) -> None:
        front, call, what = self.front, self.call, order.what
        if what == "delay_before":
            await asyncio.sleep(order.seconds)
        elif what == "drop_before":
            await self.drop()
            return
        elif what == "status_before":
            await self.answer(front.ordered_refusal(call, order))
            return
        elif what == "fault_in_200":
            refused = front.ordered_refusal(call, order)
            await self.answer(Answer(200, refused.body, refused.content_type))
            return
        elif what == "html_before":
            await self.answer(Answer(order.status, _PAGE, "text/html"))
            return
        elif what == "xml":
            call.accept = "application/xml"
        elif what == "drop_within":
            call.stop_after = order.items
        done = front.service.handle(realm, call)
        if what in ("drop_after", "drop_within"):
            await self.drop()
        elif what == "status_after":
            await self.answer(front.ordered_refusal(call, order))
        elif what == "html_after":
            await self.answer(Answer(order.status, _PAGE, "text/html"))
        elif what == "cut":
            await self.answer(Answer(done.status, done.body[: len(done.body) // 2], done.content_type))
        elif what == "truncated":
            await self.truncated(done)
        elif what == "slow":
            await self.drip(done, order.seconds)
        else:
            if what == "delay_after":
                await asyncio.sleep(order.seconds)
            await self.answer(done)

    async def answer(self, answer: Answer) -> None:
        """A whole answer."""
        await self._start(answer)
        await self.send({"type": "http.response.body", "body": answer.body})

    async def _start(self, answer: Answer) -> None:
        self.front.service.counters.statuses[answer.status] += 1
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"intuit_tid", self.front.service.tid().encode()),
        ]
        if answer.status == 401:
            headers.append((b"www-authenticate", b'Bearer realm="Intuit", error="invalid_token"'))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def drop(self) -> None:
        """End the connection with nothing said."""
        self.scope["state"]["protocol"].transport.abort()
        await self._gone()

    async def truncated(self, answer: Answer) -> None:
        """Half of the answer, then the end of the connection."""
        await self._start(answer)
        half = answer.body[: len(answer.body) // 2]
        await self.send({"type": "http.response.body", "body": half, "more_body": True})
        self.scope["state"]["protocol"].transport.close()
        await self._gone()

    async def drip(self, answer: Answer, seconds: float) -> None:
        """The answer in ten drops."""
        await self._start(answer)
        size = len(answer.body) // 10 + 1
        for at in range(0, len(answer.body), size):
            await asyncio.sleep(seconds / 10)
            await self.send({"type": "http.response.body", "body": answer.body[at : at + size], "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def _gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
