"""This machine's TLS: its key, which never leaves it, and the certificate it serves with.

Keys, requests and the certificate that answers a `tls-alpn-01` challenge (RFC 8737, for addresses
RFC 8738) are made by the command `openssl`, which Debian has wherever it trusts certificates.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import ssl
import subprocess

ALPN_CHALLENGE = "acme-tls/1"
_OPENSSL_SECONDS_MAX = 30
# What a machine's own configuration says, or whether it has one, must not matter.
_NO_CONFIG = b"[req]\ndistinguished_name = none\n[none]\n"


class CannotCertify(Exception):  # noqa: N818 - a normal answer, named for what it is
    """A certificate could not be had; the text is for a person."""


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """What the command prints. Raises CannotCertify."""
    try:
        with _kept(_NO_CONFIG) as config:
            done = subprocess.run(
                ["openssl", *arguments],
                input=stdin,
                capture_output=True,
                timeout=_OPENSSL_SECONDS_MAX,
                env={**os.environ, "OPENSSL_CONF": config},
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotCertify(f"openssl: {error}") from error
    if done.returncode != 0:
        raise CannotCertify(f"openssl: {done.stderr.decode(errors='replace').strip()[-200:]}")
    return done.stdout


def new_key() -> bytes:
    """A new P-256 key, PEM."""
    return openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")


def point_of(key: bytes) -> tuple[bytes, bytes]:
    """The public point, x and y of 32 bytes each: the end of the key's DER."""
    encoded = openssl("ec", "-pubout", "-outform", "DER", stdin=key)
    return encoded[-64:-32], encoded[-32:]


def signed(key: bytes, message: bytes) -> bytes:
    """An ES256 signature as JWS has it: r and s, 32 bytes each (openssl gives a DER sequence)."""
    with _kept(key) as path:
        encoded = openssl("dgst", "-sha256", "-sign", path, stdin=message)
    first = encoded[4 : 4 + encoded[3]]
    second = encoded[4 + len(first) + 2 :]
    return b"".join(n.lstrip(b"\0").rjust(32, b"\0") for n in (first, second))


def request_for(key: bytes, host: str) -> bytes:
    """A certificate request, DER, for an address or for a name and all below it."""
    names = f"IP:{host}" if is_address(host) else f"DNS:{host},DNS:*.{host}"
    with _kept(key) as path:
        return openssl(
            "req", "-new", "-key", path, "-subj", "/", "-addext", f"subjectAltName={names}",
            "-outform", "DER",
        )  # fmt: skip


def challenge_certificate(key: bytes, host: str, authorization: str) -> bytes:
    """The self-signed certificate, PEM, that shows who answers at this address."""
    digest = hashlib.sha256(authorization.encode()).hexdigest()
    kind = "IP" if is_address(host) else "DNS"
    with _kept(key) as path:
        return openssl(
            "req", "-x509", "-new", "-key", path, "-subj", "/", "-days", "2",
            "-addext", f"subjectAltName={kind}:{host}",
            "-addext", f"1.3.6.1.5.5.7.1.31=critical,DER:0420{digest}",
        )  # fmt: skip


def runs_out(chain: bytes) -> float:
    """Until when the first certificate of a chain, PEM, counts, in s. Raises CannotCertify."""
    said = openssl("x509", "-noout", "-enddate", stdin=chain).decode().strip()
    try:
        return float(ssl.cert_time_to_seconds(said.removeprefix("notAfter=")))
    except ValueError as error:
        raise CannotCertify(f"openssl: {said!r} is no time") from error


def is_address(host: str) -> bool:
    """Whether this is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Tls:
    """The context that every handshake asks; its certificate can be changed while it serves."""

    def __init__(self) -> None:
        self._serving: ssl.SSLContext | None = None
        self._challenge: ssl.SSLContext | None = None
        self.context = _context()
        self.context.sni_callback = self._choose

    def serve(self, chain: bytes, key: bytes) -> None:
        """From now on serve with this. Raises ssl.SSLError when they do not fit."""
        self._serving = _loaded(_context(), chain, key)
        _loaded(self.context, chain, key)  # whoever sends no name, as most do to an address

    def answer(self, chain: bytes, key: bytes) -> None:
        """Show this to whoever validates."""
        challenge = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        challenge.set_alpn_protocols([ALPN_CHALLENGE])
        self._challenge = _loaded(challenge, chain, key)
        if self._serving is None:  # a handshake cannot begin without any certificate
            _loaded(self.context, chain, key)

    def answered(self) -> None:
        """Nobody validates any more."""
        self._challenge = None

    def _choose(self, handshake: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Validation comes for the name that an address has in reverse (RFC 8738, section 6)."""
        validates = name is not None and name.endswith((".in-addr.arpa", ".ip6.arpa"))
        if validates and self._challenge is not None:
            handshake.context = self._challenge
        elif self._serving is not None:
            handshake.context = self._serving


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _loaded(context: ssl.SSLContext, chain: bytes, key: bytes) -> ssl.SSLContext:
    with _kept(key + b"\n" + chain) as path:
        context.load_cert_chain(path)
    return context


class _kept:  # noqa: N801 - used like a function
    """Bytes under a path that only we and our children can read, for as long as the context lasts.

    They are in memory: no disk has them, and a full one is no matter.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __enter__(self) -> str:
        self._descriptor = os.memfd_create("brihaspati")
        with open(self._descriptor, "wb", closefd=False) as file:
            file.write(self._data)
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
