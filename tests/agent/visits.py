"""A browser that looks at an application in a lab, through the agent."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from agent import stage


@dataclass
class Visit:
    """An application in a lab, and a browser that looks at it through the agent."""

    agent: stage.Stage
    session: aiohttp.ClientSession
    port: int
    seen: list[web.Request]

    @property
    def host(self) -> str:
        return f"p{self.port}--abc234-main.localhost:{self.agent.port}"

    def ticket(self, **changes: Any) -> str:
        given = {"may": ["preview"], "port": self.port, "machine": "main", **changes}
        return self.agent.signer.ticket(**given)

    def request(
        self, path: str, *, method: str = "GET", cookie: str | None = None, **given: Any
    ) -> Any:
        headers = {"Host": given.pop("host", self.host), **given.pop("headers", {})}
        if cookie:
            headers["Cookie"] = cookie
        url = f"http://127.0.0.1:{self.agent.port}{path}"
        return self.session.request(method, url, headers=headers, allow_redirects=False, **given)

    async def cookie(self, **changes: Any) -> str:
        """The gate's cookie, as a browser would send it."""
        async with self.request(f"/_brihaspati/open?ticket={self.ticket(**changes)}") as answer:
            assert answer.status == 302, await answer.text()
            cookie: str = answer.headers.getall("Set-Cookie")[0].partition(";")[0]
            return cookie


Answer = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


async def _hello(request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"app {request.method} {request.raw_path}")


@contextlib.asynccontextmanager
async def visiting(answer: Answer = _hello, *, secure: bool = False) -> AsyncIterator[Visit]:
    """An application that answers so, behind an agent."""
    seen: list[web.Request] = []

    async def keep(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await answer(request)

    application = web.Application(client_max_size=0)
    application.router.add_route("*", "/{tail:.*}", keep)
    runner = web.AppRunner(
        application, access_log=None, auto_decompress=False, shutdown_timeout=0.1
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with (
        stage.staged(secure=secure) as agent,
        aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session,
    ):
        yield Visit(agent, session, port, seen)
    await runner.cleanup()
