"""Debian's `pebble`, a small certificate authority that speaks ACME, on a loopback address."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from loopback import free_port

SECONDS_MAX = 60  # a busy machine takes its time to start a program


@dataclass(frozen=True)
class Pebble:
    """`directory` is where ACME begins; `ca` trusts its own HTTPS, `roots` what it issues."""

    directory: str
    ca: Path
    roots: Path
    tls_port: int


def certificate_for(folder: Path, *names: str) -> tuple[Path, Path]:
    """A self-signed certificate and its key for these names and addresses."""
    chain, key = folder / "ca.pem", folder / "ca.key"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(chain),
            "-days",
            "2",
            "-subj",
            "/CN=test",
            "-addext",
            f"subjectAltName={','.join(names)}",
        ],
        check=True,
        capture_output=True,
    )
    return chain, key


def trusting(*files: Path) -> ssl.SSLContext:
    """A client that trusts these certificates and no others."""
    context = ssl.create_default_context(cafile=str(files[0]))
    for more in files[1:]:
        context.load_verify_locations(more)
    return context


def _settle(folder: Path, address: str, management: int, tls_port: int, life_seconds: int) -> Path:
    """Write its settings; the certificate of its own HTTPS."""
    chain, key = certificate_for(folder, f"IP:{address.partition(':')[0]}", "IP:127.0.0.1")
    settings = {
        "listenAddress": address,
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(chain),
        "privateKey": str(key),
        "httpPort": free_port(),
        "tlsPort": tls_port,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "certificateValidityPeriod": life_seconds,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    return chain


@contextlib.contextmanager
def running(
    folder: Path,
    tls_port: int,
    address: str = "",
    life_seconds: int = 6 * 24 * 3600,
    dns: str | None = None,
) -> Iterator[Pebble]:
    """A pebble that validates on this port of whoever asks; it answers at `address:port`.

    What it issues counts for `life_seconds`. It asks `dns`, as `host:port`, for names.
    """
    if shutil.which("pebble") is None:
        pytest.skip("pebble is not installed (apt install pebble)")
    address, management = address or f"127.0.0.1:{free_port()}", free_port()
    chain = _settle(folder, address, management, tls_port, life_seconds)
    environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "20"}
    with (folder / "pebble.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "pebble",
                "-config",
                str(folder / "pebble.json"),
                *(["-dnsserver", dns] if dns else []),
            ],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        trust = ssl.create_default_context(cafile=str(chain))
        root = _fetched(f"https://127.0.0.1:{management}/roots/0", trust)
        roots = folder / "roots.pem"
        roots.write_bytes(root)
        yield Pebble(f"https://{address}/dir", chain, roots, tls_port)
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)


def _fetched(url: str, trust: ssl.SSLContext) -> bytes:
    ends = time.monotonic() + SECONDS_MAX
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10, context=trust) as answer:
                return bytes(answer.read())
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
