"""HTTP on the local server: API requests become events, the rest is the web app's files."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiohttp import StreamReader, web

from brihaspati.entrypoints.http import problems
from brihaspati.entrypoints.http.addresses import Addresses
from brihaspati.entrypoints.http.gate import BODY_BYTES_MAX
from brihaspati.entrypoints.http.gate import whole as api_whole
from brihaspati.entrypoints.server import sources, waiting

IMMUTABLE = "public, max-age=31536000, immutable"
# Shorter answers fit into one packet as they are.
PACKED_BYTES_MIN = 1400
# What is done in a sandbox: its state is told by the sandbox's own address.
_BESIDE = re.compile(r"^(/v1/classes/[^/]+/labs/[^/]+)/.+$")
NOT_BUILT = """<!doctype html><title>Brihaspati</title>
<p>The web app is not built yet. Run <code>make web</code>, then reload this page.</p>"""


class Site:
    """The portal's origin: /v1 is the API, everything else a file or the app's page."""

    def __init__(
        self,
        api: Callable[[dict[str, Any]], dict[str, Any]],
        folder: Path,
        addresses: Addresses,
        bell: waiting.Bell,
        papers: Mapping[str, str],
    ) -> None:
        self.api = api
        self.papers = papers
        self.bell = bell
        self.folder = folder.resolve()
        self.addresses = addresses
        # One thread: the API answers one request at a time, in embedded mode as on Lambda.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="api")

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if not self.addresses.knows(request.host):
            return _response(_misdirected())
        if request.path.startswith("/v1/"):
            return await self._from_api(request)
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="Only GET here.\n")
        if request.path in self.papers:
            return _paper(self.papers[request.path])
        return self._file(request)

    async def _from_api(self, request: web.BaseRequest) -> web.Response:
        event = event_of(request, await whole(request.content), proxied=self.addresses.secure)
        answer = await self._ask(event)
        seconds = waiting.seconds_wanted(event["headers"])
        what = _under_way(answer) if seconds else None
        if what is not None and await self._settled(what, seconds):
            again = await self._ask(as_get(event))
            answer = {**again, "statusCode": answer["statusCode"]} if _is_good(again) else again
        return _response(answer)

    async def _ask(self, event: dict[str, Any]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.api, event)

    async def _settled(self, what: str, seconds: float) -> bool:
        """Wait for the end of what is under way; False when the time was over first."""
        future = self.bell.waiting(what)
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return False
        finally:
            self.bell.leave(what, future)
        return True

    def _file(self, request: web.BaseRequest) -> web.StreamResponse:
        path = self._inside(request.path)
        if path is None:
            return web.Response(status=404, text="No such page.\n")
        if path.is_file() and path != self.folder / "index.html":
            cache = IMMUTABLE if request.path.startswith("/assets/") else "public, max-age=300"
            return web.FileResponse(
                path, headers={"Cache-Control": cache, "X-Content-Type-Options": "nosniff"}
            )
        if request.path.startswith("/assets/"):
            # An old tab asking for a chunk of the last build must not get the page instead.
            return web.Response(status=404, text="No such file.\n")
        return self._page(request)

    def _inside(self, wanted: str) -> Path | None:
        """Where a path of a request leads to in our folder; None for what cannot be one of ours."""
        try:
            path = (self.folder / wanted.lstrip("/")).resolve()
            path.is_file()  # names that no disk can have are told only here
        except (OSError, ValueError):  # too long, or with a zero byte
            return None
        return path if path.is_relative_to(self.folder) else None

    def _page(self, request: web.BaseRequest) -> web.Response:
        try:
            html = (self.folder / "index.html").read_text()
        except OSError:
            return web.Response(status=503, text=NOT_BUILT, content_type="text/html")
        headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": policy(html, request.host, self.addresses),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        page = web.Response(text=html, content_type="text/html", headers=headers)
        page.enable_compression()
        return page

    def close(self) -> None:
        """End the API's thread."""
        self._thread.shutdown(wait=True)


def policy(html: str, host: str, addresses: Addresses) -> str:
    """The page's Content-Security-Policy; its inline scripts are named by their hashes."""
    inline = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", html, re.DOTALL)
    hashes = "".join(f" 'sha256-{_sha256(text)}'" for text in inline if text.strip())
    port = f":{host.rpartition(':')[2]}" if ":" in host.rpartition("]")[2] else ""
    labs = f"{addresses.scheme}://*.{addresses.lab_domain}{port}"
    socket = f"{'wss' if addresses.secure else 'ws'}://{host}"
    if addresses.only_names:
        socket += f" wss://*.{addresses.names}"
        labs += f" https://*.{addresses.names}"
    elif addresses.rents and addresses.relay != "always":
        # The page is there before its machine is, and no pattern names addresses.
        socket += " wss:" if addresses.issuer else " ws:"
        labs += " https:" if addresses.issuer else " http:"
    return (
        f"default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        f"script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; "
        f"worker-src 'self'; connect-src 'self' {socket}; frame-src {labs}"
    )


def _paper(text: str) -> web.Response:
    """A document that any page and any editor may read."""
    headers = {
        "Cache-Control": "public, max-age=300",
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
    }
    return web.Response(text=text, content_type="application/schema+json", headers=headers)


def _misdirected() -> dict[str, Any]:
    """To a name that is not ours: of a page elsewhere that was led here (DNS rebinding), or new."""
    fix = "Open the address that the server printed, or add this one to BRIHASPATI_ORIGINS."
    title = "This server is not known by this name."
    return api_whole(problems.response(421, "misdirected", title, fix))


async def whole(content: StreamReader) -> bytes:
    """The whole body, which may come in pieces; of one that is too large a byte too many."""
    body = bytearray()
    while piece := await content.read(BODY_BYTES_MAX + 1 - len(body)):
        body += piece
    return bytes(body)


def _response(answer: dict[str, Any]) -> web.Response:
    headers: list[tuple[str, str]] = []
    for name, value in answer["headers"].items():
        headers += [(name, v) for v in ([value] if isinstance(value, str) else value)]
    headers += [("Set-Cookie", cookie) for cookie in answer.get("cookies", ())]
    body = (answer["body"] or "").encode()
    if answer.get("isBase64Encoded"):
        body = base64.b64decode(body)
    response = web.Response(status=answer["statusCode"], body=body)
    if len(response.body or b"") >= PACKED_BYTES_MIN:  # type: ignore[arg-type]
        response.enable_compression()
    for name, value in headers:
        if name.lower() == "content-type":
            response.headers["Content-Type"] = value
        else:
            response.headers.add(name, value)
    return response


def _is_good(answer: dict[str, Any]) -> bool:
    return int(answer["statusCode"]) < 300


def _under_way(answer: dict[str, Any]) -> str | None:
    """What the bell rings for, if something happens to or in the sandbox an answer tells of."""
    if not _is_good(answer):
        return None
    said = json.loads(answer["body"] or "null")
    sandbox = said.get("sandbox") if isinstance(said, dict) else None
    if not sandbox:
        return None
    if sandbox["phase"] in waiting.UNDER_WAY:
        return str(sandbox["id"])
    progress = said["progress"] or {}
    busy = progress.get("busy") or progress.get("watching")
    return waiting.run_in(sandbox["id"]) if busy else None


def as_get(event: dict[str, Any]) -> dict[str, Any]:
    """The request that only looks at what this one changed: the sandbox, where it did so beside."""
    context, path = event["requestContext"], _BESIDE.sub(r"\1/sandbox", event["rawPath"])
    http = {**context["http"], "method": "GET", "path": path}
    return {**event, "rawPath": path, "requestContext": {**context, "http": http}, "body": None}


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What came twice, in one text: nothing that is checked hides behind another of its name."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def event_of(request: web.BaseRequest, body: bytes, *, proxied: bool) -> dict[str, Any]:
    """The request as API Gateway's HTTP API (format 2.0) would send it to Lambda.

    `proxied`: a proxy on this machine says whom it comes from.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\ufffd"
    headers = _joined((name.lower(), value) for name, value in request.headers.items())
    headers.pop("cookie", None)
    cookies = [c.strip() for c in ";".join(request.headers.getall("Cookie", ())).split(";")]
    return {
        "version": "2.0",
        "rawPath": request.path,
        "rawQueryString": request.query_string,
        "queryStringParameters": _joined(request.query.items()),
        "cookies": [cookie for cookie in cookies if cookie],
        "headers": headers,
        "requestContext": {
            "http": {
                "method": request.method,
                "path": request.path,
                "sourceIp": sources.source(request.remote or "", headers, proxied=proxied),
            },
            "domainName": request.host,
            "stage": "$default",
        },
        "body": text or None,
        "isBase64Encoded": False,
    }
