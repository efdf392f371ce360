"""A certificate for this very machine by ACME (RFC 8555), with what Debian has already.

Only what one machine needs once every few days: an account of its own, one order for its own
address, the challenge `tls-alpn-01` on the port it serves anyway. The libraries that do all of
ACME weigh more than the rest of the agent; the control plane uses one of them.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brihaspati_agent import certificates, control_plane
from brihaspati_agent.certificates import CannotCertify, Tls

_SECONDS_MAX = 20
_PATIENCE_SECONDS = 90
_NONCE_TRIES_MAX = 8
_REFUSED = 400
_USER_AGENT = "brihaspati"
_BAD_NONCE = "urn:ietf:params:acme:error:badNonce"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who certifies. `profile` (draft-aaron-acme-profiles) is asked for where it is offered."""

    directory: str
    profile: str | None = None
    trust: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain and its key, PEM."""

    chain: bytes
    key: bytes


class Acme:
    """One account at one issuer, by its P-256 key, PEM."""

    def __init__(
        self, issuer: Issuer, account_key: bytes, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._issuer = issuer
        self._key = account_key
        self._wait = wait
        self._account: str | None = None
        self._nonce: str | None = None
        self._directory: dict[str, Any] = {}
        self._tls = control_plane.trusting(issuer.trust)
        x, y = certificates.point_of(account_key)
        self._jwk = {"crv": "P-256", "kty": "EC", "x": _base64(x), "y": _base64(y)}

    def certify(self, host: str, tls: Tls) -> Certificate:
        """A certificate for this host, which the issuer will visit. Raises CannotCertify."""
        try:
            return self._certify(host, tls)
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            raise CannotCertify(f"{self._issuer.directory}: {error!r}") from error
        finally:
            tls.answered()

    def _certify(self, host: str, tls: Tls) -> Certificate:
        self._directory = self._get(self._issuer.directory)
        terms = {"termsOfServiceAgreed": True}
        self._account = self._post(self._directory["newAccount"], terms).place
        kind = "ip" if certificates.is_address(host) else "dns"
        wanted: dict[str, Any] = {"identifiers": [{"type": kind, "value": host}]}
        if self._issuer.profile in self._directory.get("meta", {}).get("profiles", {}):
            wanted["profile"] = self._issuer.profile
        order = self._post(self._directory["newOrder"], wanted)
        for address in order.said["authorizations"]:
            self._prove(address, host, tls)
        key = certificates.new_key()
        csr = _base64(certificates.request_for(key, host))
        self._post(order.said["finalize"], {"csr": csr})
        done = self._settled(order.place, ("valid",))
        chain = self._post(done["certificate"], None).data
        return Certificate(chain, key)

    def _prove(self, address: str, host: str, tls: Tls) -> None:
        authorization = self._post(address, None).said
        if authorization["status"] == "valid":
            return
        offered = {c["type"]: c for c in authorization["challenges"]}
        challenge = offered["tls-alpn-01"]
        key = certificates.new_key()
        shown = f"{challenge['token']}.{self._thumbprint()}"
        tls.answer(certificates.challenge_certificate(key, host, shown), key)
        self._post(challenge["url"], {})
        self._settled(address, ("valid",))

    def _settled(self, address: str, wanted: tuple[str, ...]) -> dict[str, Any]:
        """Ask until it is as wanted. Raises CannotCertify when it is refused or takes too long."""
        waited = 0.0
        while waited < _PATIENCE_SECONDS:
            said = self._post(address, None).said
            if said["status"] in wanted:
                return said
            if said["status"] == "invalid":
                raise CannotCertify(f"refused: {_why(said)}")
            pause = min(0.25 + waited / 4, 5.0)
            self._wait(pause)
            waited += pause
        raise CannotCertify(f"not done within {_PATIENCE_SECONDS} s")

    def _thumbprint(self) -> str:
        text = json.dumps(self._jwk, separators=(",", ":"), sort_keys=True)
        return _base64(hashlib.sha256(text.encode()).digest())

    # --- requests ----------------------------------------------------------------------------
    def _get(self, url: str) -> dict[str, Any]:
        answer = self._send("GET", url)
        if answer.status >= _REFUSED:
            raise CannotCertify(f"status {answer.status}")
        return answer.said

    def _post(self, url: str, payload: dict[str, Any] | None) -> _Answer:
        """A signed request; None asks only to see (POST-as-GET)."""
        problem = ""
        for _ in range(_NONCE_TRIES_MAX):
            answer = self._send("POST", url, self._signed(url, payload))
            if answer.status < _REFUSED:
                return answer
            said = answer.said if answer.data else {}
            kind = said.get("type", answer.status)
            problem = f"{kind}: {said.get('detail', 'it does not say why')}"
            if kind != _BAD_NONCE:
                break
        raise CannotCertify(problem)

    def _signed(self, url: str, payload: dict[str, Any] | None) -> bytes:
        who = {"kid": self._account} if self._account else {"jwk": self._jwk}
        head = {"alg": "ES256", "nonce": self._fresh_nonce(), "url": url, **who}
        protected = _base64(json.dumps(head).encode())
        body = "" if payload is None else _base64(json.dumps(payload).encode())
        signature = certificates.signed(self._key, f"{protected}.{body}".encode())
        said = {"protected": protected, "payload": body, "signature": _base64(signature)}
        return json.dumps(said).encode()

    def _fresh_nonce(self) -> str:
        nonce, self._nonce = self._nonce, None
        if nonce is None:
            nonce = self._send("HEAD", self._directory["newNonce"]).nonce
            self._nonce = None
        return nonce or ""

    def _send(self, method: str, url: str, body: bytes | None = None) -> _Answer:
        """By `http.client`, which is there for the control plane anyway."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "https" or parts.hostname is None:
            raise CannotCertify(f"{url} is not https")
        headers = {"Content-Type": "application/jose+json", "User-Agent": _USER_AGENT}
        line = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=_SECONDS_MAX, context=self._tls
        )
        with contextlib.closing(line):
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            line.request(method, path, body, headers)
            answer = line.getresponse()
            self._nonce = answer.headers.get("Replay-Nonce")
            place = answer.headers.get("Location", "")
            return _Answer(answer.status, answer.read(), place, self._nonce)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    data: bytes
    place: str
    nonce: str | None

    @property
    def said(self) -> dict[str, Any]:
        parsed = json.loads(self.data)
        if not isinstance(parsed, dict):
            raise TypeError("the answer is no object")
        return parsed


def _why(said: dict[str, Any]) -> str:
    found = [said.get("error"), *(c.get("error") for c in said.get("challenges", ()))]
    return "; ".join(str(e.get("detail", e)) for e in found if e) or "no reason given"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
