"""A small Netlify: a folder served by its `_headers`, its `_redirects` and our netlify.toml.

It knows of their languages what we use: `*` and `:splat`, statuses 200 and 404, `!` for "even if
there is such a file", and rewrites to another server.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import mimetypes
import pathlib
import threading
import tomllib
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

KEPT = ("content-type", "set-cookie", "cache-control", "content-encoding")


@dataclass(frozen=True)
class Rule:
    """One redirect. `forced`: it wins over a file of that name."""

    source: str
    target: str
    status: int
    forced: bool = False

    def match(self, path: str) -> str | None:
        """Where this path leads by this rule."""
        start, star, _ = self.source.partition("*")
        if not (path.startswith(start) if star else path == start):
            return None
        return self.target.replace(":splat", path[len(start) :])


def rules_of(folder: pathlib.Path, toml: pathlib.Path) -> list[Rule]:
    """All redirects in the order Netlify asks them: the folder's own come first."""
    lines = (folder / "_redirects").read_text().split("\n")
    own = [line.split() for line in lines if line.strip()]
    first = [
        Rule(source, target, int(status.rstrip("!")), status.endswith("!"))
        for source, target, status in own
    ]
    more = tomllib.loads(toml.read_text())["redirects"]
    return first + [Rule(one["from"], one["to"], one["status"]) for one in more]


def headers_of(folder: pathlib.Path) -> list[tuple[str, str, str]]:
    """Path, name and value of every header."""
    found: list[tuple[str, str, str]] = []
    path = ""
    for line in (folder / "_headers").read_text().splitlines():
        if line.startswith(" "):
            name, _, value = line.strip().partition(": ")
            found.append((path, name, value))
        else:
            path = line
    return found


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: pathlib.Path
    rules: list[Rule]
    headers_given: list[tuple[str, str, str]]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method is served alike: `do_GET`, `do_POST` and so on."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        path = urllib.parse.urlsplit(self.path).path
        file = self.folder / path.lstrip("/")
        for rule in self.rules:
            target = rule.match(path)
            if target is None or (file.is_file() and not rule.forced):
                continue
            if target.startswith("http"):
                return self._pass_on(target)
            return self._file(self.folder / target.lstrip("/"), rule.status)
        return self._file(file, 200)

    def _file(self, file: pathlib.Path, status: int) -> None:
        body = file.read_bytes()
        self.send_response(status)
        for path, name, value in self.headers_given:
            if Rule(path, "", 200).match(urllib.parse.urlsplit(self.path).path) is not None:
                self.send_header(name, value)
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._end(kind, body)

    def _pass_on(self, target: str) -> None:
        url = urllib.parse.urlsplit(target)
        size = int(self.headers.get("content-length") or 0)
        there = http.client.HTTPConnection(url.netloc, timeout=20)
        # The server knows its own name only; in earnest ours is among BRIHASPATI_ORIGINS.
        given = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        if "origin" in {name.lower() for name in given}:
            given["Origin"] = f"http://{url.netloc}"
        query = urllib.parse.urlsplit(self.path).query
        where = f"{url.path}?{query}" if query else url.path
        there.request(self.command, where, self.rfile.read(size), given)
        answer = there.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in KEPT[1:]:
                self.send_header(name, value)
        self._end(answer.getheader("content-type") or "", answer.read())
        there.close()

    def _end(self, kind: str, body: bytes) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def edge(folder: pathlib.Path, toml: pathlib.Path, api: str, server: str) -> Iterator[str]:
    """The address of the folder, served; what leads to `api` goes to `server` instead."""
    rules = [
        Rule(one.source, one.target.replace(api, server), one.status, one.forced)
        for one in rules_of(folder, toml)
    ]
    known = {"folder": folder, "rules": rules, "headers_given": headers_of(folder)}
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Edge", (_Handler,), known))
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}"
    finally:
        served.shutdown()
        served.server_close()
        thread.join()
