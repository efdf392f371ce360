"""Terminals and previews of a rented machine through the portal, with the very agent behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

import pebble
from agent import machines, stage
from brihaspati.engine.machines import Door
from brihaspati.entrypoints.server import relaying
from brihaspati_agent import previews, tickets

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LABEL = "bh-test-abc234-a1-main"


@dataclass
class Portal:
    """A portal that brings browsers to one machine. `there`: whether it still has its lab."""

    machine: machines.Machine
    port: int = 0
    there: bool = True
    answers: bool = True
    asked: list[str] = field(default_factory=list)

    def door(self, label: str, port: int | None) -> Door | None:
        self.asked.append(label)
        signer = self.machine.signer
        ticket = signer.ticket(may=["control"], port=port, machine="main")
        address = "127.0.0.1" if self.answers else "127.0.0.2"
        return Door(address, machines.HOST, ticket) if self.there else None

    def line(self, origin: str = stage.PORTAL) -> aiohttp.client._WSRequestContextManager:
        url = f"ws://127.0.0.1:{self.port}/relay/terminal"
        return self.machine.client.ws_connect(url, headers={"Origin": origin})

    @property
    def at(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def opened(self, port: int) -> dict[str, str]:
        """The headers of a browser that a ticket has let in to a preview."""
        ticket = self.machine.signer.ticket(may=["preview"], port=port, machine="main")
        url = f"{self.at}/_brihaspati/open?ticket={ticket}"
        headers = {"Host": f"p{port}--abc234-main.localhost:{self.port}"}
        async with self.machine.client.get(url, headers=headers, allow_redirects=False) as answer:
            headers["Cookie"] = answer.headers.getall("Set-Cookie")[0].partition(";")[0]
        return headers


@contextlib.asynccontextmanager
async def portal(folder: Path, authorities: str = "ca.pem") -> AsyncIterator[Portal]:
    """`authorities` are those by whom it knows its machine."""
    async with machines.machine(folder) as machine:
        ours = Portal(machine)
        signer, clock = machine.signer, machine.signer.clock

        def gate() -> tickets.Gate:
            return tickets.Gate(signer.public, stage.ENV, clock, clock() - 1)

        trust = ssl.create_default_context(cafile=str(folder / authorities))
        way = relaying.Way(ours.door, trust, machine.port)
        relay = relaying.Relay(way, gate(), [stage.PORTAL])
        keeper = relaying.FarHub(relay, clock)
        scheme = previews.Scheme("localhost", False, (stage.PORTAL,))  # noqa: FBT003
        shown = previews.Previews(keeper, gate(), scheme, clock)

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await (shown if shown.matches(request.host) else relay.answer)(request)

        runner = web.ServerRunner(
            web.Server(answer, auto_decompress=False, handler_cancellation=True)
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ours.port = runner.addresses[0][1]
        yield ours
        await keeper.close()
        await shown.close()
        await relay.close()
        await runner.cleanup()


def test_a_terminal_goes_through_the_portal_and_its_ticket_works_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with portal(tmp_path) as ours:
            ticket = ours.machine.signer.ticket()
            async with ours.line() as line:
                await line.send_str(machines.first(ticket))
                assert json.loads(await line.receive_str(timeout=30))["type"] == "hello"
                await line.send_bytes(b"\x00expr 6 '*' 7\n")
                await machines.output_until(line, b"42")
            async with ours.line() as again:
                await again.send_str(machines.first(ticket))
                message = await again.receive(timeout=30)
                assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4401)
            assert ours.asked == [LABEL], "it goes where the ticket says, and once"

    machines.play(scenario)


def test_a_machine_that_cannot_show_it_is_the_one_gets_no_ticket(tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    pebble.certificate_for(tmp_path / "others", f"DNS:{machines.HOST}")

    async def scenario() -> None:
        async with portal(tmp_path, "others/ca.pem") as ours:
            async with ours.line() as line:
                await line.send_str(machines.first(ours.machine.signer.ticket()))
                assert (await line.receive(timeout=30)).data == 1011
            async with machines.application() as port:
                headers = await ours.opened(port)
                async with ours.machine.client.get(ours.at, headers=headers) as answer:
                    assert answer.status == 503

    machines.play(scenario)


@pytest.mark.parametrize(
    ("first", "code"),
    [("{", 4400), ("{}", 4400), (machines.first("a.b"), 4401), (machines.first("x" * 9000), 4401)],
)
def test_what_is_no_ticket_of_ours_leads_nowhere(tmp_path: Path, first: str, code: int) -> None:
    async def scenario() -> None:
        async with portal(tmp_path) as ours, ours.line() as line:
            await line.send_str(first)
            assert (await line.receive(timeout=30)).data == code

    machines.play(scenario)


@pytest.mark.parametrize(("there", "code"), [(False, 4410), (True, 1011)])
def test_a_lab_that_is_over_and_a_machine_that_is_silent_are_told_apart(
    tmp_path: Path, *, there: bool, code: int
) -> None:
    async def scenario() -> None:
        async with portal(tmp_path) as ours, ours.line() as line:
            ours.there, ours.answers = there, False
            await line.send_str(machines.first(ours.machine.signer.ticket()))
            assert (await line.receive(timeout=30)).data == code

    machines.play(scenario)


def test_pages_of_others_and_other_paths_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with portal(tmp_path) as ours:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await ours.line("https://evil.example")
            assert refused.value.status == 403
            for path in ("terminal", "control", "../v1", ""):
                url = f"http://127.0.0.1:{ours.port}/relay/{path}"
                async with ours.machine.client.get(url) as answer:
                    assert answer.status == 404

    machines.play(scenario)


def test_a_page_and_its_websocket_go_through_the_portal_and_large_bodies_both_ways(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with portal(tmp_path) as ours, machines.application() as port:
            client, at, headers = ours.machine.client, ours.at, await ours.opened(port)
            async with client.get(at, headers=headers) as answer:
                assert await answer.text() == "cookies: None"
            large = bytes(range(256)) * 20_000
            async with client.post(f"{at}/back", headers=headers, data=large) as answer:
                assert await answer.read() == large
            async with client.ws_connect(at, headers=headers) as line:
                await line.send_str("hé")
                assert await line.receive_str(timeout=30) == "echo hé"
            assert set(ours.asked) == {LABEL}

    machines.play(scenario)


def test_a_preview_says_when_nothing_listens_or_the_lab_is_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with portal(tmp_path) as ours:
            client, at, headers = ours.machine.client, ours.at, await ours.opened(1)
            async with client.get(at, headers=headers) as answer:
                assert answer.status == 503
            ours.there = False
            async with client.get(at, headers=headers) as answer:
                assert answer.status == 410

    machines.play(scenario)


def test_machines_that_are_silent_hold_up_no_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with contextlib.AsyncExitStack() as stack:
            heard: asyncio.Queue[Streams] = asyncio.Queue()
            there = await stack.enter_async_context(machines.machine(tmp_path, tls=False))
            silent = await asyncio.start_server(
                lambda *line: heard.put(line), "127.0.0.2", there.port
            )
            await stack.enter_async_context(silent)
            port = await stack.enter_async_context(machines.application())

            def door(label: str, port: int | None) -> Door:
                ticket = there.signer.ticket(may=["control"], port=port, machine="main")
                return Door("127.0.0.2" if label == "silent" else "127.0.0.1", "x", ticket)

            gate = tickets.Gate(there.signer.public, stage.ENV, there.signer.clock, 0)
            relay = relaying.Relay(relaying.Way(door, None, there.port), gate, [])
            keeper = relaying.FarHub(relay, there.signer.clock)
            waiting = [asyncio.ensure_future(keeper.connect("silent", port)) for _ in range(20)]
            lines = [await heard.get() for _ in waiting]
            (await keeper.connect(LABEL, port)).close()
            assert not any(one.done() for one in waiting)
            for one in waiting:
                one.cancel()
            for reader, writer in lines:  # who leaves leaves no line behind
                await asyncio.wait_for(reader.read(), 30)
                writer.close()
            await keeper.close()
            await relay.close()

    machines.play(scenario)


def test_of_machines_that_were_dialled_long_ago_nothing_is_kept() -> None:
    async def scenario() -> None:
        where = relaying._Where(known_max=2)
        for number in range(4):
            where.note(f"m{number}.lab.test", f"192.0.2.{number}")
        where.note("m2.lab.test", "192.0.2.9")
        assert [row["host"] for row in await where.resolve("m2.lab.test")] == ["192.0.2.9"]
        assert len(where._known) == 2
        with pytest.raises(OSError, match=r"m1\.lab\.test"):
            await where.resolve("m1.lab.test")

    machines.play(scenario)
