"""A machine whose clock is hours off is believed, and reaches itself, all the same."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import http.server
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from brihaspati_agent import control_plane
from brihaspati_agent.control_plane import ControlPlane, Refused, Times

HOURS_3_NS = 3 * 3600 * 1_000_000_000
SIGNED_MS_MAX = 60_000


class _Plane(http.server.BaseHTTPRequestHandler):
    """Believes what was signed within the minute; says what time it is only in `Date`."""

    tells_the_time = True
    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        found = re.search(r"at=(\d+)", self.headers["Authorization"])
        assert found is not None
        believed = abs(int(found[1]) - time.time() * 1000) < SIGNED_MS_MAX
        self.send_response_only(200 if believed else 401)
        if self.tells_the_time:
            self.send_header("Date", email.utils.formatdate(usegmt=True))
        said = json.dumps({"phase": "ready"} if believed else {"title": "No such machine."})
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own
        """Say nothing."""


@contextlib.contextmanager
def _plane(*, tells_the_time: bool = True) -> Iterator[tuple[str, type[_Plane]]]:
    kind = type("Plane", (_Plane,), {"tells_the_time": tells_the_time, "asked": 0})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", kind
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("off_ns", [-HOURS_3_NS, HOURS_3_NS])
def test_a_machine_that_comes_back_with_a_wrong_clock_is_believed_at_once(off_ns: int) -> None:
    times = Times(own=lambda: time.time_ns() + off_ns)
    with _plane() as (url, plane):
        agent = ControlPlane(url, "bh-test-a", bytes(32), times)
        assert agent.tell("/v1/machines/beat", {}) == {"phase": "ready"}
        assert plane.asked == 2
        agent.tell("/v1/machines/beat", {})
        assert plane.asked == 3, "it knows the time from then on"
    assert abs(times.now() - time.time() * 1000) < 5_000, "tickets are judged by that"


def test_where_nobody_says_what_time_it_is_the_refusal_stands() -> None:
    times = Times(own=lambda: time.time_ns() - HOURS_3_NS)
    with _plane(tells_the_time=False) as (url, plane):
        with pytest.raises(Refused):
            ControlPlane(url, "bh-test-a", bytes(32), times).tell("/v1/machines/beat", {})
        assert plane.asked == 1


def test_time_goes_on_from_what_was_told_whatever_the_machines_clock_does() -> None:
    steady = iter([10.0, 12.5])
    times = Times(lambda: next(steady), lambda: 0)
    times.told(1_000_000)
    assert times.now() == 1_002_500


def _of_tomorrow(folder: Path) -> Path:
    """A certificate and its key that count from tomorrow on, as one sees it whose clock is slow."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([])
    names = x509.SubjectAlternativeName([x509.DNSName("machine.test")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=7))
        .add_extension(names, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "tomorrow.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(pem)
    )
    return path


def _handshake(path: Path, trust: ssl.SSLContext, host: str = "machine.test") -> None:
    ours, theirs = socket.socketpair()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)

    def serve() -> None:
        with contextlib.suppress(OSError), serving.wrap_socket(theirs, server_side=True) as line:
            line.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with trust.wrap_socket(ours, server_hostname=host):
            pass
    finally:
        ours.close()
        thread.join()


def test_a_machine_with_a_slow_clock_reaches_itself_and_nobody_else(tmp_path: Path) -> None:
    path = _of_tomorrow(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
        _handshake(path, control_plane.trusting(str(path)))
    _handshake(path, control_plane.trusting_at_any_time(str(path)))
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        _handshake(path, control_plane.trusting_at_any_time(str(path)), "other.test")
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        _handshake(path, control_plane.trusting_at_any_time(None))
