"""Networks of labs: a private one among the machines of a sandbox, and a way out where allowed.

Private: each two machines of a sandbox share a cable, laid from one's network namespace straight
into the other's. The host has no end of it, so it joins nobody else and goes with the machines.

Egress: a cable from the lab to the host, which passes packets on as its firewall says. There is no
bridge: labs share no wire, and the host has no address of its own on any of them.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import ipaddress
import os
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from brihaspati import ports
from brihaspati.adapters.namespaces import firewall, netlink

Address = ipaddress.IPv4Address
Network = ipaddress.IPv4Network

POOL = Network("10.201.0.0/16")
_PRIVATE_PREFIX = 24
_ALL = Network("0.0.0.0/0")
_TRIES = 256
_HOST_MAC = b"\x02bh\0\0\x01"
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_IPV6 = "/proc/sys/net/ipv6/conf/{}/disable_ipv6"
_RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))
_RESOLVERS_MAX = 3


def nameservers(files: Collection[Path] = _RESOLVERS) -> list[str]:
    """The host's IPv4 name servers a lab could reach: none on the host's own loopback."""
    for path in files:
        with contextlib.suppress(OSError):
            words = [line.split() for line in path.read_text(errors="replace").splitlines()]
            named = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
            usable = [name for name in named if _is_usable(name)]
            if usable:
                return usable[:_RESOLVERS_MAX]
    return []


def _is_usable(name: str) -> bool:
    try:
        address = Address(name)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def hosts_file(order: ports.MachineOrder) -> bytes:
    """The machine's /etc/hosts: itself and its peers."""
    lines = ["127.0.0.1\tlocalhost"]
    if order.spec.name not in dict(order.peers):
        lines.append(f"127.0.1.1\t{order.spec.name}")
    lines += [f"{address}\t{name}" for name, address in order.peers]
    return "\n".join([*lines, ""]).encode()


def resolv_conf(
    order: ports.MachineOrder, servers: Callable[[], list[str]] = nameservers
) -> bytes | None:
    """The machine's /etc/resolv.conf; None if it may reach no name server.

    An allow list names TCP ports, so a name server on it is asked over TCP.
    """
    if order.egress == "full":
        found, options = servers(), ""
    else:
        entries = [firewall.accepted(entry) for entry in order.egress_allow]
        spans = [span for ranges, port in entries if port == 53 for span in ranges]
        found = [n for n in servers() if any(a <= Address(n) <= b for a, b in spans)]
        options = "options use-vc\n"
    if order.egress == "none" or not found:
        return None
    return ("".join(f"nameserver {name}\n" for name in found) + options).encode()


@dataclass(slots=True)
class _Sandbox:
    """Machines that still wait for a peer, by name; the descriptors are ours."""

    netns: dict[str, int] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)


class Networks:
    """The networks of one deployment. Safe to share between threads.

    `deployment` tells ours from another's on this host. `netns_of` finds the network namespace of a
    running machine by label (a descriptor that becomes ours, or None): needed when the server was
    started anew between two machines of a sandbox.
    """

    def __init__(
        self,
        deployment: str,
        pool: Network = POOL,
        servers: Callable[[], list[str]] = nameservers,
        netns_of: Callable[[str], int | None] = lambda _: None,
    ) -> None:
        tag = hashlib.sha256(deployment.encode()).hexdigest()[:4]
        self._prefix = f"bh{tag}"
        self._pool = pool
        self._servers = servers
        self._netns_of = netns_of
        self._firewall = firewall.Firewall(tag, self._prefix, pool)
        self._lock = threading.Lock()
        self._waiting: dict[str, _Sandbox] = {}
        # Whether our rules are in force; None until we looked.
        self._in_force: bool | None = None
        self._loaded = False

    def attach(self, label: str, netns_fd: int, order: ports.MachineOrder) -> None:
        """Join the machine's network namespace to what the order says. Safe to repeat.

        Raises CreateRefused ("host", "invalid"), OSError; the machine then has no way out.
        """
        if order.peers and order.spec.name not in dict(order.peers):
            raise ports.CreateRefused("invalid", f"{order.spec.name} is not among its own peers")
        with self._lock:
            try:
                netlink.inside(netns_fd, lambda _: _be_quiet())
                if order.peers:
                    self._join(label, netns_fd, order)
                if order.egress != "none":
                    self._let_out(label, netns_fd, order)
            except BaseException:
                self._leave(label)
                with contextlib.suppress(OSError, ports.CreateRefused):
                    self._shut_in(label)
                raise

    def detach(self, label: str) -> None:
        """Undo `attach`, for a machine that has ended; absent is fine. Raises OSError.

        Cables between machines end with the machines.
        """
        with self._lock:
            self._leave(label)
            self._shut_in(label)

    def clean(self, keep: Collection[str] = ()) -> None:
        """Remove what is left of all machines but those with the labels in `keep`."""
        with self._lock:
            kept = {self._interface(label) for label in keep}
            with netlink.Line() as line:
                for link in line.links():
                    if link.name.startswith(self._prefix) and link.name not in kept:
                        _remove(line, link.name)
            if self._has_rules():
                for interface in self._firewall.interfaces() - kept:
                    self._firewall.forget(interface)
                self._stop_if_unused()

    # --- the private network ---------------------------------------------------------------
    def _join(self, label: str, netns: int, order: ports.MachineOrder) -> None:
        """Lay cables to all peers that are there; those to come will lay theirs to us."""
        name = order.spec.name
        family = label.removesuffix(name)
        sandbox = self._waiting.setdefault(family, _Sandbox())
        for peer, _ in order.peers:
            if peer != name:
                with self._found(sandbox, family, peer) as there:
                    if there is not None:
                        _connect(order.peers, (name, netns), (peer, there))
        self._close(sandbox, name)
        sandbox.netns[name] = os.dup(netns)
        sandbox.joined.add(name)
        if sandbox.joined >= {peer for peer, _ in order.peers}:
            self._forget_family(family)

    @contextlib.contextmanager
    def _found(self, sandbox: _Sandbox, family: str, peer: str) -> Iterator[int | None]:
        if peer in sandbox.netns:
            yield sandbox.netns[peer]
            return
        there = self._netns_of(f"{family}{peer}")
        try:
            if there is not None:
                sandbox.joined.add(peer)
            yield there
        finally:
            if there is not None:
                os.close(there)

    def _close(self, sandbox: _Sandbox, name: str) -> None:
        if (old := sandbox.netns.pop(name, None)) is not None:
            os.close(old)

    def _forget_family(self, family: str) -> None:
        sandbox = self._waiting.pop(family)
        for name in list(sandbox.netns):
            self._close(sandbox, name)

    def _leave(self, label: str) -> None:
        for family, sandbox in list(self._waiting.items()):
            if label.startswith(family):
                name = label.removeprefix(family)
                self._close(sandbox, name)
                sandbox.joined.discard(name)
                if not sandbox.netns:
                    del self._waiting[family]

    # --- the way out -----------------------------------------------------------------------
    def _interface(self, label: str) -> str:
        return self._prefix + hashlib.sha256(label.encode()).hexdigest()[:9]

    def _let_out(self, label: str, netns: int, order: ports.MachineOrder) -> None:
        name = self._interface(label)
        servers = self._servers() if order.egress == "full" else []
        self._start()
        self._firewall.admit(name, order.egress, order.egress_allow, servers)
        seed = hashlib.sha256(label.encode()).digest()
        with netlink.Line() as line:
            _remove(line, name)
            mac = b"\x02" + seed[:5]
            line.lay_cable(netlink.End(name, None, _HOST_MAC), netlink.End("eth0", netns, mac))
            index = line.index(name)
            _switch(_IPV6.format(name), "1")
            line.name_alias(index, label)
            line.up(index)
            address = self._seat(line, index, int.from_bytes(seed[:8]))
            line.add_neighbour(index, address, mac)
            netlink.inside(netns, lambda there: self._furnish(there, address))
            line.wait_until_running(index)

    def _seat(self, line: netlink.Line, index: int, start: int) -> Address:
        """An address of the pool that nobody on this host has, and the way to it."""
        size = self._pool.num_addresses - 4
        for step in range(_TRIES):
            address = self._pool[2 + (start + step) % size]
            try:
                line.add_route(Network(address), index)
            except FileExistsError:
                continue
            return address
        raise OSError(errno.EADDRNOTAVAIL, f"no free address in {self._pool}")

    def _furnish(self, line: netlink.Line, address: Address) -> None:
        """In the lab: the address, and the host as the way to everywhere."""
        index, gateway = line.index("eth0"), self._pool[1]
        line.add_address(index, address)
        line.up(index)
        line.add_neighbour(index, gateway, _HOST_MAC)
        line.add_route(_ALL, index, via=gateway, source=address)

    def _shut_in(self, label: str) -> None:
        name = self._interface(label)
        with netlink.Line() as line:
            _remove(line, name)
        if self._has_rules():
            self._firewall.forget(name)
            self._stop_if_unused()

    def _has_rules(self) -> bool:
        if self._in_force is None:
            self._in_force = self._firewall.exists()
        return self._in_force

    def _start(self) -> None:
        """Rules first, then forwarding, so that no packet passes unseen. Safe to repeat."""
        forwards = _FORWARDING.read_text().strip() != "0"
        if self._loaded and forwards:
            return
        with netlink.Line() as line:
            names = {link.index: link.name for link in line.links()}
            for route in line.routes():
                ours = names.get(route.link, "").startswith("bh")
                if route.to.prefixlen and route.to.overlaps(self._pool) and not ours:
                    raise ports.CreateRefused(
                        "host", f"this host itself uses {route.to}, where labs have their addresses"
                    )
        outside = [n for n in names.values() if n != "lo" and not n.startswith("bh")]
        self._firewall.load([] if forwards else outside)
        self._loaded = self._in_force = True
        if not forwards:
            _FORWARDING.write_text("1")

    def _stop_if_unused(self) -> None:
        with netlink.Line() as line:
            if any(link.name.startswith(self._prefix) for link in line.links()):
                return
        if self._firewall.interfaces():
            return
        unrouted = self._firewall.unrouted()
        if unrouted:
            others = self._firewall.others()
            if others:
                self._firewall.hand_over(others[0], unrouted)
            else:
                _FORWARDING.write_text("0")
        self._firewall.remove()
        self._loaded = self._in_force = False


def _remove(line: netlink.Line, name: str) -> None:
    try:
        line.remove(line.index(name))
    except OSError as problem:
        if problem.errno != errno.ENODEV:
            raise


def _switch(path: str, value: str) -> None:
    """Set a switch of the kernel that need not be there: IPv6 may be left out of it."""
    with contextlib.suppress(FileNotFoundError):
        Path(path).write_text(value)


def _be_quiet() -> None:
    """In a lab: no IPv6 on any cable, and nobody passes packets on."""
    _switch(_IPV6.format("default"), "1")
    _FORWARDING.write_text("0")


def _connect(
    peers: tuple[tuple[str, str], ...], one: tuple[str, int], other: tuple[str, int]
) -> None:
    """Lay the cable between two machines; each end is called after the place of the other."""
    places = {name: place for place, (name, _) in enumerate(peers)}
    addresses = {name: Address(address) for name, address in peers}
    ends = [
        netlink.End(f"lan{places[to]}", netns)
        for (_, netns), (to, _) in ((one, other), (other, one))
    ]
    with netlink.Line() as line:
        try:
            line.lay_cable(*ends)
        except FileExistsError:
            return  # laid by an earlier try, or from the other side
    for end, to in zip(ends, (other[0], one[0]), strict=True):
        assert end.netns is not None
        name = one[0] if to == other[0] else other[0]
        set_up = functools.partial(_address, end.name, addresses[name], addresses[to])
        netlink.inside(end.netns, set_up)
    for end in ends:
        assert end.netns is not None
        netlink.inside(end.netns, functools.partial(_wait, end.name))


def _wait(link: str, line: netlink.Line) -> None:
    line.wait_until_running(line.index(link))


def _address(link: str, own: Address, there: Address, line: netlink.Line) -> None:
    index = line.index(link)
    line.add_address(index, own, _PRIVATE_PREFIX)
    line.up(index)
    line.add_route(Network(there), index, source=own)
    around = Network((int(own), _PRIVATE_PREFIX), strict=False)
    with contextlib.suppress(FileExistsError):  # the first cable has it
        line.add_route(around, index, source=own)
