"""A small registry on 127.0.0.1 that speaks the distribution API, and layers to serve from it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
SHELL = {"bin/sh": b"#!shell"}


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: Any) -> tarfile.TarInfo:
    """A header; `more` sets its fields, `data` (bytes) comes with a file."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in more.items():
        setattr(info, key, value)
    return info


def layer(*members: tarfile.TarInfo | tuple[str, bytes], compress: bool = True) -> bytes:
    """A layer of headers, or of (name, content) for plain files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            if isinstance(member, tuple):
                info = entry(member[0], size=len(member[1]))
                tar.addfile(info, io.BytesIO(member[1]))
            else:
                tar.addfile(member)
    return gzip.compress(out.getvalue(), mtime=0) if compress else out.getvalue()


@dataclass
class Registry:
    """What is served, how, and what was asked. All of it may be changed while it runs."""

    port: int = 0
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    token: str | None = None
    # Faults: digest -> bytes after which the line is cut, once for each number in the list.
    cut: dict[str, list[int]] = field(default_factory=dict)
    # Digest -> sent half, then nothing until the event is set.
    held: dict[str, threading.Event] = field(default_factory=dict)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    redirect_blobs: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    tokens_given: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def push(
        self, name: str, tag: str, *layers: bytes, media_type: str = LAYER, kind: str = MANIFEST
    ) -> str:
        """Serve an image of these layers; returns the digest of its manifest."""
        config = b"{}"
        self.blobs[sha(config)] = config
        rows = []
        for data in layers:
            self.blobs[sha(data)] = data
            rows.append({"mediaType": media_type, "digest": sha(data), "size": len(data)})
        body = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {"digest": sha(config), "size": len(config)},
            "layers": rows,
        }
        return self.put(name, tag, kind, body)

    def put(self, name: str, tag: str, kind: str, body: dict[str, Any]) -> str:
        data = json.dumps(body).encode()
        for version in (tag, sha(data)):
            self.manifests[f"{name}/{version}"] = (kind, data)
        return sha(data)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, *args: Any) -> None:
        pass

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        registry = self.registry
        registry.asked.append((self.path, self.headers.get("Authorization")))
        if self.path.startswith("/token?"):
            registry.tokens_given += 1
            self._send(200, json.dumps({"token": registry.token}).encode())
            return
        if self.path.startswith("/elsewhere/"):
            self._blob(self.path.removeprefix("/elsewhere/"))
            return
        if registry.answers:
            status, headers = registry.answers.pop(0)
            self._send(status, b"", **headers)
            return
        if registry.token and self.headers.get("Authorization") != f"Bearer {registry.token}":
            realm = f'Bearer realm="http://{registry.host}/token",service="here",scope="pull"'
            self._send(401, b"", WWW_Authenticate=realm)
            return
        self._content()

    def _content(self) -> None:
        name, _, version = self.path.removeprefix("/v2/").partition("/manifests/")
        if version:
            found = self.registry.manifests.get(f"{name}/{version}")
            if found is None:
                self._send(404, b"{}")
            else:
                self._send(200, found[1], Content_Type=found[0])
            return
        digest = self.path.rpartition("/blobs/")[2]
        if self.registry.redirect_blobs:
            self._send(307, b"", Location=f"http://{self.registry.host}/elsewhere/{digest}")
        else:
            self._blob(digest)

    def _blob(self, digest: str) -> None:
        data = self.registry.blobs.get(digest)
        if data is None:
            self._send(404, b"{}")
            return
        if hold := self.registry.held.get(digest):
            self._send_held(data, hold)
            return
        cuts = self.registry.cut.get(digest)
        if not cuts:
            self._send(200, data)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: cuts.pop(0)])
        self.wfile.flush()
        self.close_connection = True

    def _send_held(self, data: bytes, hold: threading.Event) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        hold.wait(30)
        with suppress(OSError):
            self.wfile.write(data[len(data) // 2 :])


class _Server(ThreadingHTTPServer):
    daemon_threads = True


@contextmanager
def serving() -> Iterator[Registry]:
    """A running registry."""
    registry = Registry()
    handler = type("Handler", (_Handler,), {"registry": registry})
    with _Server(("127.0.0.1", 0), handler) as server:
        registry.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
