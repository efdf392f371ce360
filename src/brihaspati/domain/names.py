"""Names for rented machines: one for each, made ahead of time, and never used again. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

LENGTH = 14
# A certificate that has less left is given to nobody; labs are shorter.
LEFT_MS_MIN = 2 * 24 * 3_600_000
# Issuers take so many names at a time, and a crash must not leave many half done.
BATCH = 10
# An order nobody has finished by then: its process died.
ORDER_MS_MAX = 3_600_000
_MADE = re.compile(rf"(?:\*\.|_acme-challenge\.)?(l-([a-z0-9]+)-[a-z2-7]{{{LENGTH}}})\.")

State = Literal["ordered", "ready", "given"]


@dataclass(frozen=True, slots=True)
class Stock:
    """How many names are ready, and how many are being made."""

    ready: int
    ordered: int


def missing(stock: Stock, wanted: int) -> int:
    """How many to order now."""
    return max(0, min(BATCH, wanted - stock.ready - stock.ordered))


def new_host(zone: str, env: str, chance: str) -> str:
    """A name that says whose it is; `chance` are letters as `ports.Chance` has them."""
    return f"l-{env}-{chance}.{zone}"


def below(host: str) -> str:
    """All names right below a host."""
    return f"*.{host}"


def agent_at(host: str) -> str:
    """Where a machine's agent is found: below its name, as its previews are, by one record."""
    return f"at.{host}"


def proof_of(host: str) -> str:
    """Where an issuer looks whether the zone is ours."""
    return f"_acme-challenge.{host}"


def host_of(name: str, zone: str, env: str) -> str | None:
    """The host a record's name belongs to, if this deployment could have made it."""
    found = _MADE.match(name)
    if found is None or found[2] != env or name[found.end() :] != zone:
        return None
    return f"{found[1]}.{zone}"


def usable(expires_at: int, now: int) -> bool:
    """Whether a certificate may still be given away."""
    return expires_at - now >= LEFT_MS_MIN
