"""Network interfaces, addresses and routes, asked of the kernel directly: no `ip` program needed.

A `Line` speaks for the network namespace it was opened in; `inside` opens one in another.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from brihaspati.adapters.namespaces import kernel

T = TypeVar("T")
Address = ipaddress.IPv4Address
Network = ipaddress.IPv4Network

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWADDR, _NEWROUTE, _GETROUTE, _NEWNEIGH = 20, 24, 26, 28
_ERROR, _DONE = 2, 3
_REQUEST, _ACK, _DUMP, _CREATE, _EXCL = 0x1, 0x4, 0x300, 0x400, 0x200
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_NET_NS_FD = 1, 3, 18, 20, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS, _NO_PREFIX_ROUTE = 1, 2, 8, 0x200
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC = 1, 4, 5, 7
_NDA_DST, _NDA_LLADDR, _NUD_PERMANENT = 1, 2, 0x80
_TABLE_MAIN, _PROTO_STATIC, _SCOPE_LINK, _SCOPE_ALL, _UNICAST, _ONLINK = 254, 4, 253, 0, 1, 4
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_POLL_SECONDS = 0.001
_SOL_NETLINK, _CAP_ACK, _EXT_ACK = 270, 10, 11
_F_ACK_TLVS, _ACK_TEXT = 0x200, 1
_BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class Link:
    """An interface as the kernel lists it."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the main table: where to, and through which interface."""

    to: Network
    link: int


@dataclass(frozen=True, slots=True)
class End:
    """One end of a cable to be laid: its name, and the namespace (None: the line's own)."""

    name: str
    netns: int | None = None
    mac: bytes | None = None


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _attributes(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("HH", data, at)
        if size < 4:
            break
        found[kind & 0x3FFF] = data[at + 4 : at + size]
        at += (size + 3) & ~3
    return found


def _link_header(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


def _end(end: End) -> bytes:
    body = _attribute(_IFLA_IFNAME, end.name.encode() + b"\0")
    if end.netns is not None:
        body += _attribute(_IFLA_NET_NS_FD, struct.pack("I", end.netns))
    if end.mac is not None:
        body += _attribute(_IFLA_ADDRESS, end.mac)
    return body


class Line:
    """A conversation with the kernel about one network namespace. Not for several threads."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        self._numbers = itertools.count(1)
        for option in (_CAP_ACK, _EXT_ACK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    # --- interfaces ------------------------------------------------------------------------
    def links(self) -> list[Link]:
        """Every interface of the namespace."""
        found = []
        for kind, body in self._ask("list interfaces", _GETLINK, _DUMP, _link_header()):
            if kind == _NEWLINK:
                name = _attributes(body[16:])[_IFLA_IFNAME]
                found.append(Link(struct.unpack_from("i", body, 4)[0], name.rstrip(b"\0").decode()))
        return found

    def index(self, name: str) -> int:
        """The number of the interface. Raises OSError (ENODEV)."""
        body = _link_header() + _attribute(_IFLA_IFNAME, name.encode() + b"\0")
        for kind, answer in self._ask(f"find {name}", _GETLINK, 0, body):
            if kind == _NEWLINK:
                return int(struct.unpack_from("i", answer, 4)[0])
        raise OSError(19, f"no interface {name}")

    def lay_cable(self, one: End, other: End) -> None:
        """Make a veth pair. Raises OSError (EEXIST when a name is taken)."""
        peer = _attribute(_VETH_PEER, _link_header() + _end(other))
        info = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, peer)
        body = _link_header() + _end(one) + _attribute(_IFLA_LINKINFO, info)
        self._do(f"lay a cable {one.name} to {other.name}", _NEWLINK, _CREATE | _EXCL, body)

    def wait_until_running(self, index: int, *, seconds_max: float = 1.0) -> None:
        """Until the kernel sends what it is given, which it decides a moment after `up`.

        Before that it drops packets, and a connection begun then hangs for a second.
        """
        end = time.monotonic() + seconds_max
        while time.monotonic() < end:
            for kind, body in self._ask("watch an interface", _GETLINK, 0, _link_header(index)):
                if kind == _NEWLINK and struct.unpack_from("I", body, 8)[0] & _IFF_RUNNING:
                    return
            time.sleep(_POLL_SECONDS)

    def name_alias(self, index: int, alias: str) -> None:
        """Write on the interface whose it is, for people who list them."""
        body = _link_header(index) + _attribute(_IFLA_IFALIAS, alias.encode()[:255])
        self._do("label an interface", _SETLINK, 0, body)

    def up(self, index: int) -> None:
        """Switch the interface on."""
        self._do("switch on an interface", _SETLINK, 0, _link_header(index, _IFF_UP, _IFF_UP))

    def remove(self, index: int) -> None:
        """Remove the interface, and with it the cable. Raises OSError (ENODEV)."""
        self._do("remove an interface", _DELLINK, 0, _link_header(index))

    # --- addresses and routes --------------------------------------------------------------
    def add_address(self, index: int, address: Address, prefix: int = 32) -> None:
        """Give the interface an address, and no route. Raises OSError (EEXIST)."""
        body = struct.pack("BBBBI", socket.AF_INET, prefix, 0, 0, index)
        body += _attribute(_IFA_LOCAL, address.packed) + _attribute(_IFA_ADDRESS, address.packed)
        body += _attribute(_IFA_FLAGS, struct.pack("I", _NO_PREFIX_ROUTE))
        self._do(f"add the address {address}", _NEWADDR, _CREATE | _EXCL, body)

    def add_route(
        self, to: Network, index: int, *, via: Address | None = None, source: Address | None = None
    ) -> None:
        """Add a route; a gateway need not be in a network of ours. Raises OSError (EEXIST)."""
        scope, flags = (_SCOPE_LINK, 0) if via is None else (_SCOPE_ALL, _ONLINK)
        body = struct.pack(
            "BBBBBBBBI", socket.AF_INET, to.prefixlen, 0, 0, _TABLE_MAIN, _PROTO_STATIC, scope,
            _UNICAST, flags,
        )  # fmt: skip
        body += _attribute(_RTA_DST, to.network_address.packed) if to.prefixlen else b""
        body += _attribute(_RTA_OIF, struct.pack("I", index))
        body += _attribute(_RTA_GATEWAY, via.packed) if via else b""
        body += _attribute(_RTA_PREFSRC, source.packed) if source else b""
        self._do(f"add a route to {to}", _NEWROUTE, _CREATE | _EXCL, body)

    def routes(self) -> list[Route]:
        """The IPv4 routes of the main table that lead through one interface."""
        body = struct.pack("BBBBBBBBI", socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)
        found = []
        for kind, answer in self._ask("list routes", _GETROUTE, _DUMP, body):
            fields = _attributes(answer[12:])
            if kind != _NEWROUTE or answer[4] != _TABLE_MAIN or _RTA_OIF not in fields:
                continue
            to = Network((fields.get(_RTA_DST, bytes(4)), answer[1]))
            found.append(Route(to, struct.unpack("I", fields[_RTA_OIF])[0]))
        return found

    def add_neighbour(self, index: int, address: Address, mac: bytes) -> None:
        """Say for good who has this address, so that nobody needs to ask."""
        body = struct.pack("BxxxiHBB", socket.AF_INET, index, _NUD_PERMANENT, 0, 0)
        body += _attribute(_NDA_DST, address.packed) + _attribute(_NDA_LLADDR, mac)
        self._do(f"say where {address} is", _NEWNEIGH, _CREATE, body)

    # --- the conversation ------------------------------------------------------------------
    def _do(self, what: str, kind: int, flags: int, body: bytes) -> None:
        for _ in self._ask(what, kind, flags | _ACK, body):
            pass

    def _ask(self, what: str, kind: int, flags: int, body: bytes) -> Iterator[tuple[int, bytes]]:
        """Answers as (kind, body). Raises OSError that says what was tried."""
        number = next(self._numbers) & 0xFFFFFFFF
        flags |= _REQUEST
        head = struct.pack("IHHII", 16 + len(body), kind, flags, number, 0)
        self._socket.send(head + body)
        while True:
            data = self._socket.recv(_BUFFER)
            at = 0
            while at + 16 <= len(data):
                size, kind, sub, seen, _ = struct.unpack_from("IHHII", data, at)
                body = data[at + 16 : at + size]
                at += (size + 3) & ~3
                if seen != number:
                    continue
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    _raise(what, sub, body)
                    return
                yield kind, body
                if not flags & (_DUMP | _ACK):
                    return


def _raise(what: str, flags: int, body: bytes) -> None:
    code = -struct.unpack_from("i", body)[0]
    if code == 0:
        return
    text = os.strerror(code)
    if flags & _F_ACK_TLVS:
        said = _attributes(body[20:]).get(_ACK_TEXT, b"").rstrip(b"\0").decode(errors="replace")
        text = f"{text} ({said})" if said else text
    raise OSError(code, f"cannot {what}: {text}")


def inside(netns: int, work: Callable[[Line], T]) -> T:
    """Do `work` in the network namespace of this descriptor; files of /proc/sys/net are its too.

    It runs on a thread of its own that ends there: ours never leaves its namespace. Raises OSError
    and whatever `work` raises.
    """
    answers: list[T] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            kernel.setns(netns, kernel.NEWNET)
            with Line() as line:
                answers.append(work(line))
        except BaseException as problem:  # noqa: BLE001 - raised again on the caller's thread
            problems.append(problem)

    thread = threading.Thread(target=run, name="netns")
    thread.start()
    thread.join()
    if problems:
        raise problems[0]
    return answers[0]
