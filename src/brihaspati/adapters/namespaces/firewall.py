"""What labs with egress may reach, as rules for nftables. One table for each deployment.

A lab's packet is dropped unless it comes from the lab's own address, goes to another machine than
this host, and the lab's own chain accepts it. Everything else passes this table untouched.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import re
import shutil
import subprocess
from collections.abc import Iterable

from brihaspati import ports
from brihaspati.domain import labs

Network = ipaddress.IPv4Network
Address = ipaddress.IPv4Address

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TABLE = "brihaspati_"
_SECONDS_MAX = 20
_ENTRY = re.compile(r"([0-9.]+(?:/[0-9]{1,2})?):([0-9]{1,5})")
_METADATA = Network("169.254.0.0/16")
# Not the internet: this host's and its neighbours' own networks, and addresses nobody has.
_CLOSED = tuple(
    Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
    )
)  # fmt: skip


def _without_closed(wanted: Network) -> list[tuple[Address, Address]]:
    """First and last addresses of what is left of a network that is wider than a closed one."""
    if any(wanted.subnet_of(closed) for closed in _CLOSED):
        return [(wanted[0], wanted[-1])]  # named on purpose
    ranges, first = [], int(wanted[0])
    for closed in _CLOSED:
        if closed.subnet_of(wanted):
            if int(closed[0]) > first:
                ranges.append((Address(first), Address(int(closed[0]) - 1)))
            first = int(closed[-1]) + 1
    if first <= int(wanted[-1]):
        ranges.append((Address(first), wanted[-1]))
    return ranges


def accepted(entry: str) -> tuple[list[tuple[Address, Address]], int]:
    """Address ranges and TCP port of an entry of the allow list, as "192.0.2.0/24:443".

    A private network counts only if it is itself named, and this host's link (169.254/16) never.
    Raises CreateRefused ("invalid").
    """
    found = _ENTRY.fullmatch(entry)
    try:
        if found is None:
            raise ValueError("not ADDRESS[/BITS]:PORT")
        network, port = Network(found[1], strict=False), int(found[2])
        if not 0 < port < 65536:
            raise ValueError("no such port")
        if network.subnet_of(_METADATA):
            raise ValueError("169.254.0.0/16 belongs to the host")
    except ValueError as problem:
        raise ports.CreateRefused(
            "invalid", f"the lab's network.allow has {entry!r}: {problem}"
        ) from problem
    return _without_closed(network), port


class Firewall:
    """The rules of one deployment. `prefix` begins the names of its labs' interfaces."""

    def __init__(self, tag: str, prefix: str, pool: Network, path: str = _PATH) -> None:
        self._table = f"inet {_TABLE}{tag}"
        self._name = f"{_TABLE}{tag}"
        self._prefix = prefix
        self._pool = pool
        self._path = path

    def load(self, unrouted: Iterable[str]) -> None:
        """Put the common rules in force, new or again; rules of labs stay as they are.

        `unrouted` interfaces passed nothing on before we had the host forward packets. Raises
        CreateRefused ("host"), OSError.
        """
        table = self._table
        rules = _RULES.format(
            prefix=self._prefix, pool=self._pool, closed=", ".join(map(str, _CLOSED))
        )
        lines = [f"add table {table}"]
        lines += [f"add {kind} {table} {text}" for kind, text in _KEPT]
        chains = re.findall(r"^(\w+)(?: \{(.*)\})?$", rules, re.MULTILINE)
        lines += [f"add chain {table} {name} {{{hook}}}" for name, hook in chains]
        lines += [f"flush chain {table} {name}" for name, _ in chains]
        chain = ""
        for line in rules.splitlines():
            if line.startswith("    "):
                lines.append(f"add rule {table} {chain} {line.strip()}")
            else:
                chain = line.split()[0]
        lines += [f'add element {table} unrouted {{ "{name}" }}' for name in unrouted]
        self._run(lines)

    def admit(
        self, interface: str, egress: labs.EgressPolicy, allow: Iterable[str], resolvers: list[str]
    ) -> None:
        """Let the lab behind the interface out. Raises CreateRefused, OSError."""
        table, chain = self._table, f"lab_{interface}"
        lines = [*self._forget_lines(interface), f"add chain {table} {chain}"]
        if egress == "full":
            lines += [f"add element {table} resolvers {{ {name} }}" for name in resolvers]
            lines.append(f"add rule {table} {chain} jump public")
        else:
            for entry in allow:
                ranges, port = accepted(entry)
                text = ", ".join(f"{a}-{b}" if a != b else str(a) for a, b in ranges)
                if text:
                    rule = f"ip daddr {{ {text} }} tcp dport {port} accept"
                    lines.append(f"add rule {table} {chain} {rule}")
        lines.append(f'add element {table} labs {{ "{interface}" : jump {chain} }}')
        self._run(lines)

    def forget(self, interface: str) -> None:
        """Remove a lab's rules; absent is fine. Raises CreateRefused, OSError."""
        self._run(self._forget_lines(interface))

    def _forget_lines(self, interface: str) -> list[str]:
        # Added first, so that removing never fails.
        table, chain = self._table, f"lab_{interface}"
        return [
            f"add chain {table} {chain}",
            f"flush chain {table} {chain}",
            f'add element {table} labs {{ "{interface}" : jump {chain} }}',
            f'delete element {table} labs {{ "{interface}" }}',
            f"delete chain {table} {chain}",
        ]

    def interfaces(self) -> set[str]:
        """Interfaces of labs that have rules. Raises CreateRefused, OSError."""
        return set(self._elements("map", "labs"))

    def unrouted(self) -> set[str]:
        """As given to `load`; not empty if the host forwards packets only because of us."""
        return set(self._elements("set", "unrouted"))

    def others(self) -> list[str]:
        """Tables of other deployments on this host."""
        return [n for n in self._tables() if n.startswith(_TABLE) and n != self._name]

    def hand_over(self, other: str, unrouted: Iterable[str]) -> None:
        """Leave it to another deployment to stop the host's forwarding in the end."""
        self._run(f'add element inet {other} unrouted {{ "{name}" }}' for name in unrouted)

    def exists(self) -> bool:
        """Whether the table is there; it is not where nftables, or its kernel part, is not."""
        try:
            return self._name in self._tables()
        except (OSError, ports.CreateRefused):
            return False

    def remove(self) -> None:
        """Remove all of it; absent is fine."""
        self._run([f"add table {self._table}", f"delete table {self._table}"])

    def _tables(self) -> list[str]:
        found = json.loads(self._nft("-j", "list", "tables", "inet"))["nftables"]
        return [item["table"]["name"] for item in found if "table" in item]

    def _elements(self, kind: str, name: str) -> list[str]:
        said = self._nft("-j", "list", kind, "inet", self._name, name)
        for item in json.loads(said)["nftables"]:
            if kind in item:
                elements = item[kind].get("elem", [])
                return [e[0] if isinstance(e, list) else e for e in elements]
        return []

    def _run(self, lines: Iterable[str]) -> None:
        """All of these commands, or none."""
        self._nft("-f", "-", text="\n".join([*lines, ""]))

    def _nft(self, *words: str, text: str = "") -> str:
        nft = shutil.which("nft", path=self._path)
        if nft is None:
            raise ports.CreateRefused(
                "host", "this lab needs a network, and `nft` is missing: install nftables"
            )
        done = subprocess.run(
            [nft, *words],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS_MAX,
        )
        if done.returncode != 0:
            said = " | ".join(line for line in done.stderr.splitlines() if "rror" in line)
            raise OSError(errno.EIO, f"nft refuses our rules: {said or done.stderr[:300]}")
        return done.stdout


_KEPT = (
    ("set", "unrouted { type ifname; }"),
    ("set", "resolvers { type ipv4_addr; }"),
    ("map", "labs { type ifname : verdict; }"),
)
# A name, its hook if it has one, and its rules. Before any address translation (-300 is the
# earliest of others) a lab's packet must prove where it comes from, and is never for this host.
# That this host and its link are out of reach is said twice, in `here` and `public` again.
_RULES = """\
check
    meta nfproto != ipv4 drop
    fib saddr . iif oif missing drop
    fib daddr type != unicast drop
    ip daddr 169.254.0.0/16 drop
public
    ip daddr @resolvers meta l4proto {{ tcp, udp }} th dport 53 accept
    ip daddr {{ {closed} }} drop
    accept
leaving
    oifname "bh*" drop
    ct state invalid drop
    ct state established,related accept
    iifname vmap @labs
    drop
returning
    ct state established,related accept
    drop
arriving {{ type filter hook prerouting priority -310; policy accept; }}
    iifname "{prefix}*" jump check
here {{ type filter hook input priority -310; policy accept; }}
    iifname "{prefix}*" drop
passing {{ type filter hook forward priority -10; policy accept; }}
    iifname "{prefix}*" jump leaving
    oifname "{prefix}*" jump returning
    iifname @unrouted ct state new ct status and dnat == 0 drop
masked {{ type nat hook postrouting priority srcnat; policy accept; }}
    ip saddr {pool} oifname != "bh*" masquerade
"""
