"""What a rented machine may reach, as data: for the cloud's firewall and for the machine's own.

The cloud's firewall is the one that holds: whoever is root inside can lift the machine's own, which
adds what the cloud cannot (the metadata service) and says no sooner.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from brihaspati.domain.labs import EgressPolicy

# Mail, and the ports at which mining pools listen: never, whatever a lab asks for.
MAIL = (25, 465, 587)
MINING = (3333, 4444, 14444)
NEVER = tuple(sorted((*MAIL, *MINING)))
METADATA = "169.254.169.254"
EVERYWHERE = ("0.0.0.0/0", "::/0")
ALL_PORTS = (1, 65535)

Protocol = Literal["tcp", "udp"]
PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp")


@dataclass(frozen=True, slots=True)
class Hole:
    """What is let through: ports from `first` to `last` at these networks."""

    protocol: Protocol
    first: int
    last: int
    networks: tuple[str, ...] = EVERYWHERE

    @property
    def ports(self) -> str:
        """As the clouds write it."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that is let in and out; the rest is dropped. `name` is the same for the same."""

    inbound: tuple[Hole, ...]
    outbound: tuple[Hole, ...]

    @property
    def name(self) -> str:
        """Eight letters and digits."""
        return hashlib.sha256(repr((self.inbound, self.outbound)).encode()).hexdigest()[:8]


def rules(
    policy: EgressPolicy, allow: Sequence[str] = (), home: Sequence[str] = EVERYWHERE
) -> Rules:
    """What a lab's policy means at the border of its machine.

    Args:
        policy: of the lab.
        allow: with policy "allow", each `address/bits:port`. Raises ValueError for anything else.
        home: networks at which the control plane answers on 443.
    """
    inbound = (Hole("tcp", 443, 443),)
    names = (Hole("udp", 53, 53), Hole("tcp", 53, 53), Hole("udp", 123, 123))
    base = (*names, Hole("tcp", 443, 443, tuple(home)))
    outbound: tuple[Hole, ...]
    match policy:
        case "full":
            spans = spans_between(NEVER, *ALL_PORTS)
            outbound = tuple(Hole(protocol, *span) for protocol in PROTOCOLS for span in spans)
        case "allow":
            outbound = (*base, *(hole for entry in allow for hole in _allowed(entry)))
        case _:
            outbound = base
    return Rules(inbound, outbound)


def _allowed(entry: str) -> tuple[Hole, ...]:
    network, _, port = entry.rpartition(":")
    parsed = ipaddress.ip_network(network, strict=False)
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{entry!r} is no address/bits:port, as 192.0.2.0/24:443")
    if int(port) in NEVER:
        return ()
    return (Hole("tcp", int(port), int(port), (str(parsed),)),)


def spans_between(closed: Sequence[int], first: int, last: int) -> tuple[tuple[int, int], ...]:
    """What is left of the ports from `first` to `last` without these, which ascend."""
    found: list[tuple[int, int]] = []
    for port in (*closed, last + 1):
        if first < port:
            found.append((first, port - 1))
        first = port + 1
    return tuple(found)


def host_rules(uids: Sequence[int]) -> str:
    """An nftables file for a machine whose lab users have these ids.

    They do not reach the metadata service (what the machine was started with is there for all its
    life), and nobody inside sends mail or mines. For `nft -f`.
    """
    never = ", ".join(map(str, NEVER))
    users = ", ".join(map(str, sorted(uids)))
    closed = [f'    meta skuid {{ {users} }} ip daddr {METADATA} reject comment "metadata"'] * bool(
        uids
    )
    lines = [
        "table inet brihaspati {",
        "  chain out {",
        "    type filter hook output priority 0; policy accept;",
        *closed,
        f'    tcp dport {{ {never} }} reject comment "mail and mining"',
        f'    udp dport {{ {never} }} reject comment "mail and mining"',
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"
