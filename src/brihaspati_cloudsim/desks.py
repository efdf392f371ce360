"""The desk of one provider: who asks, what goes wrong, whether a request makes sense."""

from __future__ import annotations

import json
from typing import Any

from brihaspati_cloudsim import contracts
from brihaspati_cloudsim.account import Account, Call, Handler, Token
from brihaspati_cloudsim.digitalocean import routes as digitalocean_routes
from brihaspati_cloudsim.digitalocean import shapes
from brihaspati_cloudsim.exchange import Answer, Refusal, Request, not_found
from brihaspati_cloudsim.faults import Fault
from brihaspati_cloudsim.linode import routes as linode_routes

ROUTES: dict[str, dict[str, tuple[str, Handler]]] = {
    "digitalocean": digitalocean_routes.ROUTES,
    "linode": linode_routes.ROUTES,
}


class Desk:
    """Serves one request of one provider: who asks, what goes wrong, whether it makes sense."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.provider = account.provider
        self.operation = ""
        self.token = ""
        self.headers: dict[str, str] = {}

    def answer(self, request: Request) -> Answer:
        """The answer.

        Raises:
            Refusal: it is no.
        """
        token = self._token(request)
        self.token = token.name
        path = request.path.replace("/v4beta/", "/v4/")
        found = contracts.contract(self.provider).find(request.method, path)
        if found is None:
            raise self._missing()
        operation, values = found
        self.operation = operation.id
        body = self._body(request)
        name = self._name(values, body)
        if answer := self._fault_before(name):
            return answer
        self.headers = token.rates.pass_one(operation.id, self.account.now())
        scope, handler = ROUTES[self.provider][operation.id]
        if scope != "*" and not token.allows(scope):
            raise self._forbidden()
        if why := operation.fault(body, request.query):
            raise self._invalid(*why)
        call = Call(request, operation, values, body, token)
        made = handler(self.account, call)
        answer = made if isinstance(made, Answer) else Answer(200, made)
        answer.headers = self.headers | answer.headers
        return self._fault_after(name, answer)

    def refused(self, refusal: Refusal) -> Answer:
        """A no, as the provider words it."""
        headers = {**self.headers, **refusal.headers}
        if self.provider == "digitalocean":
            number = shapes.identifier(self.account)
            body = {"id": refusal.kind, "message": refusal.message, "request_id": number}
            return Answer(refusal.status, body, headers)
        error = {"reason": refusal.message}
        if refusal.field:
            error["field"] = refusal.field
        return Answer(refusal.status, {"errors": [error]}, headers)

    def _token(self, request: Request) -> Token:
        secret = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = self.account.tokens.get(secret)
        if token is None or token.revoked:
            raise self._unauthorized()
        return token

    def _body(self, request: Request) -> Any:
        if not request.body:
            return {}
        try:
            return json.loads(request.body)
        except ValueError:
            raise self._invalid("", "Invalid JSON") from None

    def _name(self, values: dict[str, str], body: Any) -> str:
        """The name of the server a request is about, if it is about one."""
        number = values.get("droplet_id") or values.get("linodeId") or ""
        server = self.account.servers.get(int(number)) if number.isdigit() else None
        if server is not None:
            return server.name
        named = body if isinstance(body, dict) else {}
        return str(named.get("name") or named.get("label") or (named.get("names") or [""])[0])

    def _fault_before(self, name: str) -> Answer | None:
        def strikes(kind: str) -> Fault | None:
            return self.account.faults.strikes(kind, self.provider, self.operation, name)

        if strikes("unauthorized"):
            raise self._unauthorized()
        if fault := strikes("rate"):
            waits = str(round(fault.seconds or 1))
            raise _refusal(429, "Too many requests", "too_many_requests", {"Retry-After": waits})
        if fault := strikes("status"):
            raise _refusal(fault.status, "Server Error", "server_error", _retry(fault.seconds))
        if strikes("drop"):
            return Answer(500, cut=True)
        if fault := strikes("hang"):
            return Answer(500, cut=True, delay_seconds=fault.seconds or 0)
        return None

    def _fault_after(self, name: str, answer: Answer) -> Answer:
        for kind in ("status_after", "drop_after", "hang_after", "slow", "garbled"):
            fault = self.account.faults.strikes(kind, self.provider, self.operation, name)
            if fault is None:
                continue
            if kind == "status_after":
                text = "Server Error"
                return self.refused(
                    _refusal(fault.status, text, "server_error", _retry(fault.seconds))
                )
            answer.delay_seconds = fault.seconds or 0
            answer.cut = kind in ("drop_after", "hang_after")
            if kind == "garbled":
                return Answer(200, b'{"droplet": {"id"', answer.headers)
        return answer

    def _unauthorized(self) -> Refusal:
        if self.provider == "digitalocean":
            return Refusal(401, "Unable to authenticate you", kind="unauthorized")
        return Refusal(401, "Invalid Token")

    def _forbidden(self) -> Refusal:
        if self.provider == "digitalocean":
            text = "You are not authorized to perform this operation"
            return Refusal(403, text, kind="forbidden")
        return Refusal(401, "Your OAuth token is not authorized to use this endpoint.")

    def _missing(self) -> Refusal:
        return not_found() if self.provider == "digitalocean" else Refusal(404, "Not found")

    def _invalid(self, field_name: str, why: str) -> Refusal:
        if self.provider == "digitalocean":
            return Refusal(422, " ".join(filter(None, (field_name, why))))
        return Refusal(400, why, field=field_name or None)


def _retry(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(round(seconds))}


def _refusal(status: int, text: str, kind: str, headers: dict[str, str] | None = None) -> Refusal:
    return Refusal(status, text, kind=kind, headers=headers)
