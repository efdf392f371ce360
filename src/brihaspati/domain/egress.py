"""What a rented machine may reach, as data: for the cloud's firewall and for the machine's own.

The cloud's firewall is the one that holds: whoever is root inside can lift the machine's own, which
adds what the cloud cannot (the metadata service) and says no sooner.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from brihaspati.domain.labs import EgressPolicy

# Mail, and the ports at which mining pools listen: never, whatever a lab asks for.
MAIL = (25, 465, 587)
MINING = (3333, 4444, 14444)
NEVER = tuple(sorted((*MAIL, *MINING)))
METADATA = "169.254.169.254"
METADATA_6 = "fd00:a9fe:a9fe::1"
DHCP = (67, 547)
TABLE = "brihaspati_lab"
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
    policy: EgressPolicy,
    allow: Sequence[str] = (),
    home: Sequence[str] = EVERYWHERE,
    previews: Iterable[int] = (),
) -> Rules:
    """What a lab's policy means at the border of its machine.

    Args:
        policy: of the lab.
        allow: with policy "allow", each `address/bits:port`. Raises ValueError for anything else.
        home: networks at which the control plane answers on 443.
        previews: ports besides 443 at which browsers come.
    """
    inbound = tuple(Hole("tcp", port, port) for port in (443, *sorted(previews)))
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


def host_rules(rules: Rules, address: str) -> str:
    """The same for the machine's own firewall, which the cloud's may lack: a file for `nft -f`.

    Nobody on it reaches the metadata service (what the machine was started with is there for all
    its life), sends mail or mines, whatever the rules say. `address` is its own; what it has on
    loopback stays its own, too. Replies to those who were let in are sent.
    """
    never = ", ".join(map(str, NEVER))
    lines = [
        f"add table inet {TABLE}",
        f"delete table inet {TABLE}",
        f"table inet {TABLE} {{",
        "  chain out {",
        # After connections are known, before addresses are translated.
        "    type filter hook output priority -150; policy accept;",
        f"    ip daddr {METADATA} reject",
        f"    ip6 daddr {METADATA_6} reject",
        "    ip daddr 127.0.0.0/16 accept",
        "    ip6 daddr ::1 accept",
        f"    {_to((address,))} accept",
        "    ct state established,related accept",
        "    meta l4proto 58 accept",  # ICMPv6, by number: not every image has names of protocols
        f"    udp dport {{ {', '.join(map(str, DHCP))} }} accept",
        *(f"    {protocol} dport {{ {never} }} reject" for protocol in PROTOCOLS),
        *(f"    {line} accept" for hole in rules.outbound for line in _let(hole)),
        "    reject",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _let(hole: Hole) -> list[str]:
    """How nftables says it: a line for each kind of address."""
    ports = f"{hole.protocol} dport {hole.ports}"
    if set(hole.networks) == set(EVERYWHERE):
        return [ports]
    kinds = ([n for n in hole.networks if ":" not in n], [n for n in hole.networks if ":" in n])
    return [f"{_to(networks)} {ports}" for networks in kinds if networks]


def _to(networks: Sequence[str]) -> str:
    """To any of these networks, all of one kind."""
    kind = "ip6" if ":" in networks[0] else "ip"
    return f"{kind} daddr {{ {', '.join(networks)} }}"
