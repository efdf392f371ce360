"""One machine from outside: its processes, its disk, its sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from brihaspati_cloudsim.machines import metadata, relay, userdata
from brihaspati_cloudsim.servers import Server

MESSAGE_BYTES_MAX = 1 << 16
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SOURCES = Path(__file__).resolve().parents[2]
UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--kill-child")
MAKERS = {
    "digitalocean": {"sys_vendor": "DigitalOcean", "product_name": "Droplet"},
    "linode": {"sys_vendor": "Akamai", "product_name": "Compute Instance"},
}


@dataclass(frozen=True, slots=True)
class Setting:
    """How machines of a pool are run. `stages` empty: our own light ones."""

    layers: tuple[str, ...] = ()
    etc: str = ""
    files: Callable[[Server], dict[str, str]] = lambda _: {}
    stages: tuple[tuple[str, ...], ...] = ()


class Reach:
    """What the provider says of a server. This one lets the usual ports in and everything out."""

    def inbound(self, server: Server) -> list[int]:  # noqa: ARG002 - the same for all
        """Ports at which it may be reached."""
        return [22, 80, 443]

    def outbound(self, server: Server, port: int) -> bool:  # noqa: ARG002 - the same for all
        """Whether it may reach a port."""
        return True

    def keys(self, server: Server) -> list[str]:  # noqa: ARG002 - the same for all
        """Its root's public keys."""
        return []

    def switched(self, server: Server, to: str) -> None:
        """It switched itself `off`, or asked for a `reboot`."""


@dataclass
class Machine:
    """A running server."""

    server: Server
    disk: Path
    setting: Setting
    reach: Reach
    process: asyncio.subprocess.Process | None = None
    staged: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[socket.socket]] = {}
        self._open: list[asyncio.Server] = []
        self._runner: web.AppRunner | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.cut_off = False

    async def start(self, *, again: bool) -> None:
        """Run it. `again`: the stages run although the disk was there (it came from an image).

        Raises:
            OSError: this host cannot do it.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        self._master = ours
        self.process = await asyncio.create_subprocess_exec(
            *("bash", "-c", f'exec "$@" 3<&{theirs.fileno()}', "machine"),
            *UNSHARE,
            *_newborn(),
            *(sys.executable, "-m", "brihaspati_cloudsim.machines.inside"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=(self.disk / "console.log").open("ab"),
            pass_fds=[theirs.fileno()],
            env={"PYTHONPATH": str(SOURCES), "PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root"},
            start_new_session=True,
        )
        theirs.close()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(self._orders(again=again)).encode() + b"\n")
        self.process.stdin.close()
        asyncio.get_running_loop().add_reader(ours, self._told)

    def _orders(self, *, again: bool) -> dict[str, Any]:
        text = self.server.user_data or ""
        found = userdata.read(text)
        identity = MAKERS[self.server.provider] | {"product_serial": str(self.server.id)}
        return {
            "disk": str(self.disk),
            "layers": [*self.setting.layers],
            "etc": self.setting.etc,
            "files": self.setting.files(self.server),
            "stages": [[*words] for words in self.setting.stages],
            "identity": identity,
            "mac": metadata.mac(self.server),
            "again": again,
            "hostname": self.server.name,
            "user_data": text,
            "config": found.config,
        }

    def _told(self) -> None:
        try:
            message, fds, _, _ = socket.recv_fds(self._master, MESSAGE_BYTES_MAX, 4)
        except BlockingIOError:
            return
        except OSError:
            message, fds = b"", []
        if not message:
            asyncio.get_running_loop().remove_reader(self._master)
            return
        found, sockets = json.loads(message), [socket.socket(fileno=fd) for fd in fds]
        if found["said"] == "listening":
            self._keep(self._listen(*sockets))
        elif found["said"] == "socket":
            self._waiting.pop(found["number"]).set_result(sockets[0])
        elif found["said"] == "staged":
            self.staged.set()
        elif found["said"] == "power":
            self.reach.switched(self.server, found["to"])

    def _keep(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _listen(self, told: socket.socket, sent: socket.socket) -> None:
        application = metadata.application(self.server, self.reach.keys(self.server))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.SockSite(self._runner, told).start()
        outward = self._tracked(relay.outward(self._inside, self.server.address, self._lets_out))
        self._open.append(await asyncio.start_server(outward, sock=sent))
        for port in self.reach.inbound(self.server):
            inward = self._tracked(relay.inward(self._inside, port, self._lets_in))
            self._open.append(await asyncio.start_server(inward, self.server.address, port))
        if self.cut_off:
            self._unlisten()

    def _tracked(self, serve: relay.Serve) -> relay.Serve:
        """Serve, and be ended with the machine: a network that is gone sends no farewell."""

        async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            try:
                await serve(reader, writer)
            except asyncio.CancelledError:
                writer.transport.abort()
            finally:
                self._connections.discard(task)

        return tracked

    def _lets_in(self, port: int) -> bool:
        return port in self.reach.inbound(self.server)

    def _lets_out(self, port: int) -> bool:
        return self.reach.outbound(self.server, port)

    async def _inside(self, host: str, port: int) -> relay.Streams:
        """A connection to what listens in the machine.

        Raises:
            OSError: nobody does.
        """
        loop = asyncio.get_running_loop()
        number = max(self._waiting, default=0) + 1
        self._waiting[number] = loop.create_future()
        self._master.send(json.dumps({"do": "socket", "number": number}).encode())
        made = await self._waiting[number]
        made.settimeout(0)
        try:
            await loop.sock_connect(made, (host, port))
        except OSError:
            made.close()
            raise
        return await asyncio.open_connection(sock=made)

    def cut(self) -> None:
        """Nobody reaches it, nor it anybody, from now on."""
        self.cut_off = True
        self._unlisten()

    def _unlisten(self) -> None:
        for server in self._open:
            server.close()
        self._open.clear()
        for task in self._connections:
            task.cancel()

    async def stop(self) -> None:
        """End its processes; the disk stays."""
        self._unlisten()
        if self._runner is not None:
            await self._runner.cleanup()
        if self.process is None:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self._master.close()
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()

    async def remove(self) -> None:
        """End it and leave nothing."""
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self.disk, ignore_errors=False)


def _newborn() -> tuple[str, ...]:
    """A clock of its own for how long it is up, where the kernel has such: it boots now."""
    if not Path("/proc/self/ns/time").exists():
        return ()
    up = int(float(Path("/proc/uptime").read_text().split()[0]))
    return ("--time", f"--boottime=-{up}")
