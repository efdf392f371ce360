"""Which ports a server's firewalls leave open, in and out. Addresses in rules are not looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable

from brihaspati_cloudsim.account import Account
from brihaspati_cloudsim.digitalocean import others
from brihaspati_cloudsim.exchange import Json
from brihaspati_cloudsim.servers import Server

# Where nothing is filtered we still have to choose what to listen at.
USUAL = (22, 80, 443)
SPAN_MAX = 64
Range = tuple[int, int]


def inbound(account: Account, server: Server) -> list[int]:
    """Ports that let TCP in, in order; at most 64 of each range."""
    ranges = _inbound(account, server)
    if ranges is None:
        return [*USUAL]
    found: set[int] = set()
    for low, high in ranges:
        found |= set(
            USUAL if (low, high) == (1, 65535) else range(low, min(high, low + SPAN_MAX) + 1)
        )
    return sorted(found)


def outbound(account: Account, server: Server, port: int) -> bool:
    """Whether TCP may go out to a port."""
    ranges = _outbound(account, server)
    return ranges is None or any(low <= port <= high for low, high in ranges)


def _inbound(account: Account, server: Server) -> list[Range] | None:
    return _ranges(account, server, "inbound")


def _outbound(account: Account, server: Server) -> list[Range] | None:
    return _ranges(account, server, "outbound")


def _ranges(account: Account, server: Server, way: str) -> list[Range] | None:
    """What is let through; None where no firewall holds."""
    if account.provider == "digitalocean":
        walls = [wall for wall in account.firewalls.values() if others.holds_for(wall, server)]
        rules = [rule for wall in walls for rule in wall[f"{way}_rules"]]
        return None if not walls else _read(rules, "tcp")
    walls = [wall for wall in account.firewalls.values() if server.id in wall["servers"]]
    if not walls or walls[0]["rules"][f"{way}_policy"] == "ACCEPT":
        return None
    accepted = [rule for rule in walls[0]["rules"][way] if rule["action"] == "ACCEPT"]
    return _read(accepted, "TCP")


def _read(rules: Iterable[Json], protocol: str) -> list[Range]:
    found: list[Range] = []
    for rule in rules:
        if rule["protocol"] != protocol:
            continue
        text = str(rule.get("ports") or "all")
        if text in ("all", "0"):
            found.append((1, 65535))
            continue
        parts = re.findall(r"(\d+)(?:\s*-\s*(\d+))?", text)
        found.extend((int(low), int(high or low)) for low, high in parts)
    return found
