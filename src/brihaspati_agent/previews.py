"""Ports of a lab in the browser: each is an origin of its own, `p<port>--<sandbox>[-<machine>]`.

`GET /_brihaspati/open?ticket=...&to=/path` trades a one-time ticket for a cookie of that origin;
without the cookie nothing else is answered. The cookie is a MAC under a key that lives as long as
this agent, and it ends with the sandbox.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import yarl
from aiohttp import web
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest

from brihaspati_agent import hub, places, preview_headers, preview_pages, tickets, wire
from brihaspati_agent import preview_sockets as sockets

OPEN_PATH = "/_brihaspati/open"
_PIECE_BYTES = 64 * 1024
_LINE_BYTES_MAX = 32 * 1024
_AT_ONCE_PER_PORT = 128
_COOKIE_SECONDS = 24 * 3600
_PREFIX = b"brihaspati-preview-1\n"
_NO_HEADERS_OF_ITS_OWN = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclass(frozen=True, slots=True)
class Scheme:
    """Where previews live: `domain` (with no port), and whether browsers come by https.

    `framed_by` are the origins of the lab page, which may show a preview in a frame. `apart`: a
    browser may hold a preview for another site than that page. `at`: Host headers without a name
    of ours, an address and a port of it, and which port of the machine is seen there.
    """

    domain: str
    secure: bool
    framed_by: Sequence[str]
    apart: bool = False
    at: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The scheme of a preview's address."""
        return "https" if self.secure else "http"

    @property
    def in_frames(self) -> bool:
        """Whether only a partitioned cookie is sent back in the lab page's frame.

        Browsers hold every name under localhost for a site of its own, but also for secure.
        """
        if self.secure:
            return self.apart
        return self.domain.split(".")[-1] == "localhost"


@dataclass(frozen=True, slots=True)
class Named:
    """What a host name says of a preview: None where it says nothing, and the ticket does."""

    port: int
    sandbox: str | None = None
    machine: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a preview's cookie opens: a port of a machine, on one host name.

    `framed` tells which of our cookies came: the one for a frame of another site, or the plain.
    """

    host: str
    sandbox: str
    label: str
    port: int
    framed: bool = False


class Previews:
    """A handler for `web.Server`: serves every request whose Host is a preview's (`matches`).

    The server must be made with `auto_decompress=False` and `handler_cancellation=True`, so that
    bodies pass unchanged and a browser that leaves is noticed.
    """

    def __init__(
        self,
        keeper: hub.Hub,
        gate: tickets.Gate,
        scheme: Scheme,
        now: Callable[[], int],
        key: bytes | None = None,
    ) -> None:
        self._hub = keeper
        self._gate = gate
        self._scheme = scheme
        self._now = now
        self._key = key or secrets.token_bytes(32)
        self._session: aiohttp.ClientSession | None = None
        self._pattern = re.compile(
            r"p(?P<port>\d{1,5})--(?P<sandbox>[a-z0-9]+)(?:-(?P<machine>[a-z0-9][a-z0-9-]*))?\."
            + re.escape(scheme.domain)
            + r"(?::\d+)?"
        )

    def matches(self, host: str) -> bool:
        """Whether a Host header is a preview's."""
        return self._named(host) is not None

    def _named(self, host: str) -> Named | None:
        low = host.lower()
        port = self._scheme.at.get(low)
        if port is not None:
            return Named(port)
        found = self._pattern.fullmatch(low)
        if found is None:
            return None
        return Named(int(found["port"]), found["sandbox"], found["machine"])

    def _cookie(self, host: str) -> str:
        """Its name there. Cookies are for all ports of an address, so these say which."""
        name = "__Host-bh_preview" if self._scheme.secure else "bh_preview"
        low = host.lower()
        return f"{name}_{low.rpartition(':')[2]}" if low in self._scheme.at else name

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request of a preview."""
        if not self.matches(request.host):
            return self._page(request, 404, "not_open")
        if request.path == OPEN_PATH and request.method == "GET":
            return self._open(request)
        target = self._target(request)
        if target is None:
            framed = request.headers.get("Sec-Fetch-Dest") == "iframe" and self._scheme.apart
            return self._page(request, 401, "no_cookies" if framed else "not_open")
        try:
            self._hub.check_alive(target.sandbox)
            answer = await self._pass(request, target)
        except (wire.Bad, places.NoSuchMachine):
            return self._page(request, 410, "gone")
        except (places.PlaceError, aiohttp.ClientConnectionError):
            return self._page(request, 503, "not_listening", port=target.port)
        if _by_hand(request):  # and something answered: the page for where nothing does reloads
            self._hub.typed(target.sandbox)
        return answer

    async def close(self) -> None:
        """Let go of the connections to the labs' applications."""
        if self._session is not None:
            await self._session.close()

    # --- the cookie --------------------------------------------------------------------------
    def _open(self, request: web.BaseRequest) -> web.Response:
        host = request.host.lower()
        named = self._named(host)
        assert named is not None
        try:
            ticket = self._gate.admit(request.query.get("ticket", ""), "preview")
            label = ticket.machines.get(ticket.machine or "")
            fits = (
                named.sandbox in (None, ticket.sandbox)
                and ticket.port == named.port
                and named.machine in (None, ticket.machine)
            )
            if not fits or label is None or ticket.port is None:
                raise tickets.Refused("forbidden")
        except tickets.Refused as refused:
            return self._page(request, 401, "refused", why=str(refused).partition(": ")[2])
        token = self._sign(Target(host, ticket.sandbox, label, ticket.port))
        answer = web.Response(status=302, headers={"Location": _path(request.query.get("to"))})
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Referrer-Policy"] = "no-referrer"
        for cookie in self._cookies(self._cookie(host), token):
            answer.headers.add("Set-Cookie", cookie)
        answer.headers.extend(preview_headers.guards(self._scheme.framed_by))
        return answer

    def _cookies(self, name: str, token: str) -> list[str]:
        common = f"{token}; Path=/; HttpOnly; Max-Age={_COOKIE_SECONDS}"
        secure = "; Secure" if self._scheme.secure else ""
        plain = f"{name}={common}{secure}; SameSite=Lax"
        if not self._scheme.in_frames:
            return [plain]
        return [plain, f"{name}_framed={common}{preview_headers.FRAMED}"]

    def _target(self, request: web.BaseRequest) -> Target | None:
        """What the request's cookie opens, if it is genuine and of this host."""
        given = preview_headers.cookies(request.headers.getall("Cookie", []))
        plain = self._cookie(request.host)
        for wanted in (plain, f"{plain}_framed"):
            for name, value in given:
                target = self._read(value) if name == wanted else None
                if target is not None and target.host == request.host.lower():
                    return dataclasses.replace(target, framed=wanted != plain)
        return None

    def _sign(self, target: Target) -> str:
        said = [target.host, target.sandbox, target.label, target.port, self._now()]
        body = json.dumps(said, separators=(",", ":")).encode()
        return f"{_base64(body)}.{_base64(self._mac(body))}"

    def _read(self, token: str) -> Target | None:
        body, _, mac = token.partition(".")
        try:
            said = base64.urlsafe_b64decode(body + "==")
            given = base64.urlsafe_b64decode(mac + "==")
        except ValueError:
            return None
        if not hmac.compare_digest(self._mac(said), given):
            return None
        host, sandbox, label, port, opened_at = json.loads(said)
        if self._now() - opened_at > _COOKIE_SECONDS * 1000:
            return None
        return Target(host, sandbox, label, port)

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, _PREFIX + body, hashlib.sha256)

    # --- passing on --------------------------------------------------------------------------
    async def _pass(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        headers = preview_headers.to_application(
            request.headers.items(),
            host=request.host,
            scheme=self._scheme.name,
            port=target.port,
        )
        url = yarl.URL.build(
            scheme="http",
            host=target.label.encode().hex(),
            port=target.port,
            path=request.rel_url.raw_path,
            query_string=request.rel_url.raw_query_string,
            encoded=True,
        )
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await sockets.relay(self._client(), request, url, headers)
        data = request.content if request.body_exists else None
        async with self._client().request(
            request.method, url, headers=headers, data=data, allow_redirects=False
        ) as theirs:
            return await self._answer(request, target, theirs)

    async def _answer(
        self, request: web.BaseRequest, target: Target, theirs: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        ours = web.StreamResponse(status=theirs.status, reason=theirs.reason)
        ours.headers.extend(
            preview_headers.to_browser(
                theirs.headers.items(),
                port=target.port,
                framed_by=self._scheme.framed_by,
                framed=target.framed,
            )
        )
        try:
            await ours.prepare(request)
            async for piece in theirs.content.iter_any():
                await ours.write(piece)
            await ours.write_eof()
        except (aiohttp.ClientError, ConnectionError):
            # Half an answer must not look whole.
            if request.transport is not None:
                request.transport.close()
        return ours

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Connector(self._hub),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=10),
                skip_auto_headers=_NO_HEADERS_OF_ITS_OWN,
                read_bufsize=_PIECE_BYTES,
                max_line_size=_LINE_BYTES_MAX,
                max_field_size=_LINE_BYTES_MAX,
            )
        return self._session

    def _page(
        self, request: web.BaseRequest, status: int, kind: preview_pages.Kind, **said: object
    ) -> web.Response:
        text = preview_pages.page(kind, request.headers.get("Accept-Language", ""), **said)
        answer = web.Response(text=text, status=status, content_type="text/html")
        answer.headers["Cache-Control"] = "no-store"
        answer.headers.extend(preview_headers.guards(self._scheme.framed_by))
        return answer


class _Connector(aiohttp.BaseConnector):
    """Connects through a place: the host of the address is a machine's label, in hexadecimal."""

    def __init__(self, keeper: hub.Hub) -> None:
        super().__init__(limit=0, limit_per_host=_AT_ONCE_PER_PORT)
        self._hub = keeper

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[aiohttp.tracing.Trace],  # noqa: ARG002 - aiohttp's own signature
        timeout: aiohttp.ClientTimeout,  # noqa: ARG002, ASYNC109 - as above
    ) -> ResponseHandler:
        label, port = bytes.fromhex(req.url.host or "").decode(), req.url.port or 80
        connected = await self._hub.connect(label, port)
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(self._factory, sock=connected)
        return protocol


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _path(wanted: str | None) -> str:
    """A path of this host; anything else is the front page."""
    if wanted is None or not re.fullmatch(r"/(?![/\\])[^\x00-\x20\x7f\\]*", wanted):
        return "/"
    return wanted


def _by_hand(request: web.BaseRequest) -> bool:
    """Whether a person had a hand in it: what a page asks by itself keeps no lab alive."""
    opened = request.headers.get("Sec-Fetch-Mode") == "navigate"
    return opened or request.method not in ("GET", "HEAD", "OPTIONS")
