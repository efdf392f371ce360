"""Where browsers find us, and whose pages may write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

Relay = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """`origins` are the portal's own; `lab_domain` is where each lab port has an origin.

    `issuer` is the ACME directory of rented machines' certificates (None: they serve without TLS).
    `rents`: labs run on such machines, each with an address of its own. `relay`: whether we bring
    browsers to them: those who cannot go there directly, or all, or none. `names`: the zone in
    which each machine has a name; "" where they have none.
    """

    origins: frozenset[str]
    lab_domain: str
    secure: bool = False
    issuer: str | None = None
    rents: bool = False
    relay: Relay = "never"
    names: str = ""

    @property
    def scheme(self) -> str:
        """Http or https."""
        return "https" if self.secure else "http"

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may write here."""
        return origin in self.origins

    def knows(self, host: str) -> bool:
        """Whether a Host header names the portal, on whatever port."""
        name, colon, port = host.rpartition(":")
        name = name if colon and port.isdigit() else host
        return name.lower() in {urlsplit(origin).hostname for origin in self.origins}

    def socket(self, host: str, what: str) -> str:
        """The WebSocket address of the agent for a portal reached as `host`."""
        return f"{'wss' if self.secure else 'ws'}://{host}/agent/{what}"

    def relayed(self, host: str, what: str) -> str:
        """The WebSocket address that leads through us to a rented machine's agent."""
        return f"{'wss' if self.secure else 'ws'}://{host}/relay/{what}"

    def machine_socket(self, host: str, what: str) -> str:
        """The WebSocket address of the agent on a rented machine."""
        where = f"[{host}]" if ":" in host else host
        return f"wss://{where}/agent/{what}" if self.issuer else f"ws://{where}:443/agent/{what}"

    def machine_preview(self, host: str, port: int, ticket: str) -> str:
        """The address that opens a port of a rented machine, on `port` of its own address."""
        where = f"[{host}]" if ":" in host else host
        scheme = "https" if self.issuer else "http"
        return f"{scheme}://{where}:{port}/_brihaspati/open?ticket={quote(ticket)}&to=%2F"

    @property
    def only_names(self) -> bool:
        """Whether browsers go to machines by name only, and by the relay to one that has none."""
        return bool(self.names) and self.relay != "never"

    def named_preview(self, host: str, name: str, ticket: str) -> str:
        """The address that opens a port of a machine with a name of its own."""
        return f"https://{name}.{host}/_brihaspati/open?ticket={quote(ticket)}&to=%2F"

    def preview(self, host: str, name: str, ticket: str) -> str:
        """The address that opens a lab's port: its own origin, entered with a one-time ticket."""
        port = host.rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""
        where = f"{name}.{self.lab_domain}" + (f":{port}" if port else "")
        return f"{self.scheme}://{where}/_brihaspati/open?ticket={quote(ticket)}&to=%2F"


def preview_name(port: int, sandbox: str, machine: str) -> str:
    """The first label of a lab port's host name."""
    return f"p{port}--{sandbox}-{machine}"
