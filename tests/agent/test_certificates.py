"""A machine's own certificate: its key, the request, the challenge, and a real issuer."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import loopback
import pebble
from brihaspati_agent import acme, certificates, signatures

ADDRESS = "127.33.0.7"


@pytest.fixture
def machine() -> Iterator[tuple[int, certificates.Tls]]:
    """A port at the machine's address that does nothing but shake hands."""
    tls = certificates.Tls()
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        listener.listen()
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                accepted, _ = listener.accept()
                accepted.settimeout(30)
                try:
                    with tls.context.wrap_socket(accepted, server_side=True) as line:
                        line.recv(1)
                except OSError:
                    accepted.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], tls
        over.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join(5)


def test_a_machine_gets_a_certificate_for_its_address_and_serves_with_it(
    tmp_path: Path, machine: tuple[int, certificates.Tls]
) -> None:
    port, tls = machine
    with pebble.running(tmp_path, port) as issuer:
        account = certificates.new_key()
        own = acme.Acme(acme.Issuer(issuer.directory, "shortlived", str(issuer.ca)), account)
        got = own.certify(ADDRESS, tls)
        tls.serve(got.chain, got.key)
        trust = ssl.create_default_context(cafile=str(issuer.roots))
        with (
            socket.create_connection((ADDRESS, port)) as plain,
            trust.wrap_socket(plain, server_hostname=ADDRESS) as line,
        ):
            assert line.version() == "TLSv1.3"


def test_an_issuer_that_cannot_reach_the_machine_is_told_of_in_words(tmp_path: Path) -> None:
    with pebble.running(tmp_path, loopback.free_port(ADDRESS)) as issuer:
        own = acme.Acme(acme.Issuer(issuer.directory, None, str(issuer.ca)), certificates.new_key())
        with pytest.raises(certificates.CannotCertify, match="refused"):
            own.certify(ADDRESS, certificates.Tls())


def test_an_issuer_over_plain_http_is_never_asked(tmp_path: Path) -> None:
    own = acme.Acme(acme.Issuer(f"http://127.0.0.1:1/{tmp_path.name}"), certificates.new_key())
    with pytest.raises(certificates.CannotCertify, match="not https"):
        own.certify(ADDRESS, certificates.Tls())


def test_openssl_s_own_library_and_the_package_agree_on_signatures() -> None:
    theirs, ours = signatures.OpenSsl(), signatures.keys()
    private = bytes(range(32))
    public = theirs.public_of(private)
    assert public == ours.public_of(private)
    signature = theirs.sign(private, b"a message")
    assert signature == ours.sign(private, b"a message")
    for keys in (theirs, ours):
        assert keys.verify(public, signature, b"a message")
        assert not keys.verify(public, signature, b"another")
        assert not keys.verify(public, signature[:-1], b"a message")
    with pytest.raises(ValueError, match="32 bytes"):
        theirs.verify(public[:-1], signature, b"a message")
