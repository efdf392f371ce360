"""`brihaspati play LAB`: a lab in this shell, over the same API and terminal a browser uses."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import termios
import time
import tty
from typing import Any

import aiohttp
import click

from brihaspati.engine.records import Person
from brihaspati.entrypoints.cli.client import ClientError, Portal, Wire
from brihaspati.entrypoints.cli.printing import json_option, progress, say
from brihaspati.entrypoints.cli.shop import Serving, Shop

START_SECONDS_MAX = 120
ONCE_SECONDS_MAX = 60
MARK = b"\x1e"
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@click.command()
@click.argument("lab")
@click.option("--class", "class_id", default="demo", show_default=True, help="Which class's lab.")
@click.option("--once", metavar="COMMAND", help="Run one command, print what it said, and stop.")
@json_option
@click.pass_obj
def play(shop: Shop, lab: str, class_id: str, once: str | None, *, as_json: bool) -> None:
    """Open a terminal of a lab in this shell; works with or without a running server."""
    if once is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("this is no terminal; give a command with --once")
    with progress() as report, shop.serving(report) as serving:
        report(f"starting {lab}", None)
        with shop.engine() as engine:
            me = engine.classes.ensure_person(Person("command-line", "Command line", "admin"))
            cookie = shop.cookie(engine, me.id)
        path = f"/v1/classes/{class_id}/labs/{lab}/sandbox"
        game = _Game(serving, cookie, path)
        found = asyncio.run(game.once(once) if once is not None else game.attach())
    if once is not None:
        say(found, as_json=as_json, text=lambda _: click.echo(found["output"], nl=False))
    elif as_json:
        say(found, as_json=True, text=lambda _: None)


class _Game:
    """One Play from the command line."""

    def __init__(self, serving: Serving, cookie: str, path: str) -> None:
        self.serving = serving
        self.cookie = cookie
        self.path = path

    async def _start(self, portal: Portal, size: tuple[int, int]) -> tuple[Wire, dict[str, Any]]:
        """Press Play and wait for the first prompt."""
        begun = time.perf_counter()
        answer = await portal.send("PUT", self.path, wait=True)
        sandbox = answer["sandbox"]
        if sandbox["phase"] != "ready":
            sandbox = await portal.until_phase(self.path, ("ready",), START_SECONDS_MAX)
        ready = time.perf_counter()
        wire = await portal.open(self.path, size, sandbox["terminals"][0]["name"])
        first = await first_output(wire)
        figures = {
            "sandbox": sandbox["id"],
            "ready_ms": round((ready - begun) * 1000, 1),
            "prompt_ms": round((time.perf_counter() - begun) * 1000, 1),
        }
        return wire, {"first": first, **figures}

    async def once(self, command: str) -> dict[str, Any]:
        """Run one command in the lab's terminal, then stop the lab."""
        async with aiohttp.ClientSession() as http:
            portal = Portal(self.serving.address, http, self.cookie)
            wire, figures = await self._start(portal, (200, 50))
            figures.pop("first")
            # The shell turns \\036 into the mark; its echo of what we type does not have one.
            wire.type(f"printf '\\036'; {command}; printf '\\036%s\\036' \"$?\"\n".encode())
            seen = b""
            while seen.count(MARK) < 3:
                seen += await wire.until(MARK, ONCE_SECONDS_MAX)
            wire.close()
            await portal.send("DELETE", self.path)
            await portal.until_phase(self.path, ("gone",), START_SECONDS_MAX)
        said, status = seen.split(MARK)[1:3]
        output = _ESCAPES.sub(b"", said).replace(b"\r\n", b"\n")
        text = output.decode(errors="replace")
        return {**figures, "output": text, "status": int(status)}

    async def attach(self) -> dict[str, Any]:
        """Join this shell's terminal to the lab's, until the program or the viewer leaves."""
        async with aiohttp.ClientSession() as http:
            portal = Portal(self.serving.address, http, self.cookie)
            size = os.get_terminal_size()
            wire, figures = await self._start(portal, (size.columns, size.lines))
            why = await _bridge(wire, figures.pop("first"))
            if self.serving.ours:
                await portal.send("DELETE", self.path)
                await portal.until_phase(self.path, ("gone",), START_SECONDS_MAX)
        kept = "stopped" if self.serving.ours else "still running; brihaspati stop ends it"
        click.echo(f"\r\n{why}; the lab is {kept}")
        return figures


async def first_output(wire: Wire) -> bytes:
    """The first bytes with something to see in them: the prompt."""
    seen = b""
    while not _ESCAPES.sub(b"", seen).strip():
        chunk = await wire.read(ONCE_SECONDS_MAX)
        if chunk.ended is not None:
            raise ClientError(chunk.ended)
        seen += chunk.data
    return seen


async def _bridge(wire: Wire, first: bytes) -> str:
    """Keys one way, output the other, in raw mode; Ctrl-] leaves."""
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()
    left = asyncio.Event()

    def typed() -> None:
        data = os.read(stdin, 4096)
        if not data or b"\x1d" in data:
            left.set()
        else:
            wire.type(data)

    def resized() -> None:
        size = os.get_terminal_size()
        wire.resize(size.columns, size.lines)

    before = termios.tcgetattr(stdin)
    tty.setraw(stdin)
    loop.add_reader(stdin, typed)
    loop.add_signal_handler(signal.SIGWINCH, resized)
    try:
        _write(first)
        return await _show(wire, left)
    finally:
        loop.remove_reader(stdin)
        loop.remove_signal_handler(signal.SIGWINCH)
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
        wire.close()


async def _show(wire: Wire, left: asyncio.Event) -> str:
    leaving = asyncio.ensure_future(left.wait())
    while True:
        reading = asyncio.ensure_future(wire.chunks.get())
        await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            reading.cancel()
            return "left"
        chunk = reading.result()
        if chunk.ended is not None:
            leaving.cancel()
            return chunk.ended
        _write(chunk.data)
        wire.acknowledge()


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
