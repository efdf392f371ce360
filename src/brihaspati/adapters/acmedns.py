"""Certificates by ACME with the challenge `dns-01`, by the library `acme` of certbot.

Names are asked for together: what their proofs need is written into the zone first, then the issuer
is told to look, so that one wait is enough for all.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from acme import challenges, client, crypto_util, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy import errors as jose_errors
from josepy import jwa, jwk, util

from brihaspati import ports
from brihaspati.domain import names
from brihaspati.ports.names import Identity, NotCertified, Zone

log = logging.getLogger(__name__)

_USER_AGENT = "brihaspati"
_PATIENCE_SECONDS = 180
_NONCE_TRIES_MAX = 4
_ALREADY_REVOKED = "alreadyRevoked"
_SUPERSEDED = 5  # cessationOfOperation, RFC 5280
_TROUBLE = (errors.Error, messages.Error, requests.RequestException, jose_errors.Error)


@dataclass(frozen=True, slots=True)
class Issuer:
    """An ACME directory, and how long the zone's servers take to show a new record.

    `trust`: certificates, PEM, that its own HTTPS is verified by; None: the usual ones.
    """

    directory: str
    trust: Path | None = None
    settle_seconds: float = 60


class _Patient(client.ClientNetwork):
    """Sends again what was refused for its nonce; the library does so once."""

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        """A signed request."""
        for _ in range(_NONCE_TRIES_MAX):
            try:
                return super().post(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return super().post(*args, **kwargs)


class AcmeDns:
    """`ports.names.Certifier` with one account, by a P-256 key, PEM. One caller at a time."""

    def __init__(
        self, issuer: Issuer, account_key: bytes, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._issuer = issuer
        self._wait = wait
        private: Any = serialization.load_pem_private_key(account_key, password=None)
        self._key = jwk.JWKEC(key=util.ComparableECKey(private))
        self._client: client.ClientV2 | None = None

    def certify(self, hosts: Sequence[str], zone: Zone) -> Mapping[str, Identity]:
        """For each host and all names right below it. Raises NotCertified."""
        found: dict[str, Identity] = {}
        problem = "no name was asked for"
        orders: dict[str, tuple[bytes, messages.OrderResource]] = {}
        try:
            for host in hosts:
                try:
                    orders[host] = self._order(host, zone)
                except (ports.Unclear, ValueError, *_TROUBLE) as error:
                    problem = f"{host}: {error}"
                    log.warning("no order", extra={"host": host, "reason": str(error)})
            if orders:
                self._wait(self._issuer.settle_seconds)
            for host, (key, order) in orders.items():
                try:
                    found[host] = self._identity(key, order)
                except _TROUBLE as error:
                    problem = f"{host}: {_why(error)}"
                    log.warning("no certificate", extra={"host": host, "reason": _why(error)})
        finally:
            _clear(orders, zone)
        if not found:
            raise NotCertified(f"{self._issuer.directory}: {problem}")
        return found

    def revoke(self, chain: str) -> None:
        """Revoke the first certificate of a chain. Raises NotCertified."""
        certificate = x509.load_pem_x509_certificate(chain.encode())
        try:
            self._signed_in().revoke(certificate, _SUPERSEDED)
        except messages.Error as error:
            if error.code != _ALREADY_REVOKED:
                raise NotCertified(str(error)) from error
        except _TROUBLE as error:
            raise NotCertified(str(error)) from error

    # --- one name --------------------------------------------------------------------------------
    def _order(self, host: str, zone: Zone) -> tuple[bytes, messages.OrderResource]:
        """An order whose proofs are in the zone, and the key it is for."""
        key = new_key()
        csr = crypto_util.make_csr(key, domains=[host, names.below(host)])
        order = self._signed_in().new_order(csr)
        for challenge in _proofs(order):
            zone.add(names.proof_of(host), "TXT", challenge.chall.validation(self._key))
        return key, order

    def _identity(self, key: bytes, order: messages.OrderResource) -> Identity:
        line = self._signed_in()
        for challenge in _proofs(order):
            line.answer_challenge(challenge, challenge.response(self._key))
        ends = dt.datetime.now() + dt.timedelta(seconds=_PATIENCE_SECONDS)  # noqa: DTZ005 - as `acme` has it
        chain = line.poll_and_finalize(order, ends).fullchain_pem
        certificate = x509.load_pem_x509_certificate(chain.encode())
        until = round(certificate.not_valid_after_utc.timestamp() * 1000)
        return Identity(chain, key.decode(), until)

    def _signed_in(self) -> client.ClientV2:
        """Our account there, made when there is none: by that we agree to the issuer's terms."""
        if self._client is not None:
            return self._client
        trust: Any = str(self._issuer.trust) if self._issuer.trust is not None else True
        network = _Patient(self._key, alg=jwa.ES256, verify_ssl=trust, user_agent=_USER_AGENT)
        directory = client.ClientV2.get_directory(self._issuer.directory, network)
        line = client.ClientV2(directory, network)
        wanted = messages.NewRegistration.from_data(terms_of_service_agreed=True)
        try:
            line.new_account(wanted)
        except errors.ConflictError as known:
            network.account = messages.RegistrationResource(
                uri=known.location, body=messages.Registration()
            )
            network.account = line.query_registration(network.account)
        self._client = line
        return line


def new_key() -> bytes:
    """A new P-256 key, PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _proofs(order: messages.OrderResource) -> Iterable[Any]:
    """The challenges of an order that a zone can answer, of those not yet passed."""
    for authorization in order.authorizations:
        if authorization.body.status == messages.STATUS_VALID:
            continue
        for challenge in authorization.body.challenges:
            if isinstance(challenge.chall, challenges.DNS01):
                yield challenge


def _clear(hosts: Iterable[str], zone: Zone) -> None:
    """Take the proofs out again; what stays is found by who looks after the zone."""
    for host in hosts:
        try:
            zone.remove(names.proof_of(host))
        except ports.Unclear:
            continue


def _why(error: Exception) -> str:
    if not isinstance(error, errors.ValidationError):
        return str(error) or type(error).__name__
    said = [c.error for a in error.failed_authzrs for c in a.body.challenges if c.error]
    return "; ".join(str(one.detail) for one in said)
