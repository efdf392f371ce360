"""A host, an internet and labs, all network namespaces of our own: nothing here leaves them.

A namespace belongs to a thread, so a test runs on a thread that has left the real host's.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import ipaddress
import json
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from brihaspati import ports
from brihaspati.adapters.namespaces import kernel, netlink
from brihaspati.domain import labs

T = TypeVar("T")
UPLINK = "203.0.113.2"
GATEWAY = "203.0.113.1"
SERVER, OTHER_SERVER = "192.0.2.10", "192.0.2.20"
NEIGHBOUR, METADATA = "10.99.0.5", "169.254.169.254"
FAR = (SERVER, OTHER_SERVER, NEIGHBOUR, METADATA)
PORTS = (53, 80, 443)
UDP_PORT = 9999
# Nobody answers a dropped packet: how long a test waits before it believes that.
DROPPED_SECONDS = 0.4
ANSWERED_SECONDS = 40.0

Address = ipaddress.IPv4Address
Network = ipaddress.IPv4Network


def new_netns() -> int:
    """A descriptor of a new network namespace whose loopback is up."""
    made: list[int] = []

    def run() -> None:
        kernel.unshare(kernel.NEWNET)
        with netlink.Line() as line:
            line.up(line.index("lo"))
        made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return made[0]


@dataclass
class Machine:
    """A network namespace to do things in."""

    netns: int = field(default_factory=new_netns)

    def do(self, work: Callable[[], T]) -> T:
        return netlink.inside(self.netns, lambda _: work())

    def asks(self, address: str, port: int = 80) -> str | None:
        """As `tries`, with the patience a busy machine needs."""
        return self.tries(address, port, ANSWERED_SECONDS)

    def tries(self, address: str, port: int = 80, seconds: float = DROPPED_SECONDS) -> str | None:
        """What the server there says, "refused", or None when nothing comes back."""

        def ask() -> str | None:
            with socket.socket() as line:
                line.settimeout(seconds)
                try:
                    line.connect((address, port))
                    return line.recv(100).decode()
                except ConnectionRefusedError:
                    return "refused"
                except OSError:
                    return None

        return self.do(ask)

    def address(self) -> str:
        """The one it has on its way out."""

        def ask() -> str:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
                line.connect((SERVER, 1))
                return str(line.getsockname()[0])

        return self.do(ask)

    def send_udp(self, address: str, text: str, port: int = UDP_PORT) -> None:
        def send() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
                line.sendto(text.encode(), (address, port))

        self.do(send)

    def forge_udp(self, source: str, address: str, text: str) -> bool:
        """Send a packet that claims to come from somewhere else; False if even we cannot."""
        data = text.encode()
        udp = struct.pack("!HHHH", 1234, UDP_PORT, 8 + len(data), 0)
        head = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 0, 0, 64, 17, 0,
            socket.inet_aton(source), socket.inet_aton(address),
        )  # fmt: skip

        def send() -> bool:
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as line:
                try:
                    line.sendto(head + udp + data, (address, 0))
                except OSError:
                    return False
                return True

        return self.do(send)

    def links(self) -> list[str]:
        return netlink.inside(self.netns, lambda line: sorted(k.name for k in line.links()))

    def read(self, path: str) -> str:
        return self.do(Path(path).read_text)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.netns)


class Servers:
    """TCP servers of a machine that say whom they see, and a UDP one that remembers."""

    def __init__(self, machine: Machine) -> None:
        self.heard: list[str] = []
        self._news = threading.Condition()
        self._sockets: list[socket.socket] = machine.do(self._open)
        for opened in self._sockets[:-1]:
            threading.Thread(target=self._serve, args=(opened,), daemon=True).start()
        threading.Thread(target=self._hear, args=(self._sockets[-1],), daemon=True).start()

    def _open(self) -> list[socket.socket]:
        opened = [socket.create_server(("0.0.0.0", port)) for port in PORTS]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("0.0.0.0", UDP_PORT))
        return [*opened, udp]

    def _serve(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, (address, _) = listening.accept()
                with line:
                    line.sendall(f"hello {address}".encode())

    def _hear(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, _ = listening.recvfrom(1000)
                with self._news:
                    self.heard.append(data.decode())
                    self._news.notify_all()

    def until(self, text: str) -> list[str]:
        """All that was heard, once this was."""
        with self._news:
            assert self._news.wait_for(lambda: text in self.heard, ANSWERED_SECONDS), self.heard
            return list(self.heard)

    def close(self) -> None:
        for opened in self._sockets:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()


@dataclass
class World:
    """The host (the thread a test is on) and, behind its uplink, the internet."""

    internet: Machine
    host: Machine
    far: Servers
    near: Servers
    machines: list[Machine] = field(default_factory=list)

    def machine(self) -> Machine:
        made = Machine()
        self.machines.append(made)
        return made

    def traces(self) -> list[str]:
        """Interfaces, tables and switches the host would not have without us."""
        with netlink.Line() as line:
            found = [link.name for link in line.links() if link.name not in ("lo", "uplink")]
            found += [str(r.to) for r in line.routes() if r.to.subnet_of(Network("10.0.0.0/8"))]
        rules = json.loads(nft("-j", "list", "ruleset"))["nftables"]
        found += [item["table"]["name"] for item in rules if "table" in item]
        if Path("/proc/sys/net/ipv4/ip_forward").read_text() != "0\n":
            found.append("ip_forward")
        return found


def nft(*words: str) -> str:
    return subprocess.run(["nft", *words], capture_output=True, text=True, check=True).stdout


def _join(internet: Machine) -> None:
    """On the host: the uplink, and the way to everywhere."""
    with netlink.Line() as line:
        line.lay_cable(netlink.End("uplink"), netlink.End("down", internet.netns))
        _give(line, "uplink", UPLINK, GATEWAY)
        line.add_route(Network("0.0.0.0/0"), line.index("uplink"), via=Address(GATEWAY))

    def far_end(line: netlink.Line) -> None:
        _give(line, "down", GATEWAY, UPLINK)
        for address in FAR:
            line.add_address(line.index("lo"), Address(address))
        # It knows the way back to labs, so that only our rules keep their packets from it.
        line.add_route(Network("10.0.0.0/8"), line.index("down"), via=Address(UPLINK))

    netlink.inside(internet.netns, far_end)


def _give(line: netlink.Line, name: str, own: str, there: str) -> None:
    index = line.index(name)
    line.add_address(index, Address(own))
    line.up(index)
    line.add_route(Network(there), index, source=Address(own))


@contextlib.contextmanager
def _world() -> Iterator[World]:
    kernel.unshare(kernel.NEWNET)
    with netlink.Line() as line:
        assert [link.name for link in line.links() if link.name == "eth0"] == []
        line.up(line.index("lo"))
    Path("/proc/sys/net/ipv4/ip_forward").write_text("0")
    internet = Machine()
    host = Machine(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
    _join(internet)
    world = World(internet, host, Servers(internet), Servers(host))
    try:
        yield world
    finally:
        world.far.close()
        world.near.close()
        for machine in [*world.machines, internet, host]:
            machine.close()


def own_world(test: Callable[[World], None]) -> Callable[[], None]:
    """Run a test on a thread whose namespace is the host of a world of its own."""

    @functools.wraps(test)
    def run() -> None:
        problems: list[BaseException] = []

        def body() -> None:
            try:
                with _world() as world:
                    test(world)
            except BaseException as problem:  # noqa: BLE001 - raised again below
                problems.append(problem)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if problems:
            raise problems[0]

    # Or pytest would look for a fixture called "world".
    del run.__wrapped__
    return pytest.mark.root(needs_root(needs_nft(run)))


def _has_nft() -> bool:
    return any(os.access(f"{folder}/nft", os.X_OK) for folder in ("/usr/sbin", "/sbin"))


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
needs_nft = pytest.mark.skipif(not _has_nft(), reason="nftables is not installed")


def order(name: str = "main", sandbox: str = "s1", **more: Any) -> ports.MachineOrder:
    """An order for a machine; `peers` as a list of names gets addresses from 10.200.0.10 on."""
    peers = more.pop("peers", ())
    return ports.MachineOrder(
        label=f"bh-test-{sandbox}-a1-{name}",
        sandbox=sandbox,
        spec=labs.MachineSpec(name=name),
        peers=tuple((peer, f"10.200.0.{10 + at}") for at, peer in enumerate(peers)),
        **more,
    )


def is_gone(netns_links: Callable[[], list[str]]) -> bool:
    """Whether only the loopback is left."""
    try:
        return netns_links() == ["lo"]
    except OSError as problem:
        return problem.errno == errno.ENODEV
