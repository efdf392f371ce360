"""Where a browser goes with a ticket: behind our own address, or to the rented machine itself."""

from __future__ import annotations

from dataclasses import dataclass

from brihaspati.domain import labs, names, previews
from brihaspati.engine.playing import Opening
from brihaspati.engine.records import Record
from brihaspati.entrypoints.http.addresses import preview_name
from brihaspati.entrypoints.http.models import TicketAnswer
from brihaspati.entrypoints.http.routes import call


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ticket, and until when it is good."""

    text: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class _Machine:
    """A rented machine: its address, and its name if it has one."""

    address: str
    name: str | None

    @property
    def host(self) -> str:
        """Where browsers find its agent."""
        return names.agent_at(self.name) if self.name is not None else self.address


def to_agent(record: Record, what: str, ticket: Sealed) -> TicketAnswer:
    """The WebSocket of the agent for terminals or files."""
    asked, machine = call(), _machine(record)
    if machine is None:
        return _answer(ticket, asked.addresses.socket(asked.host, what))
    direct = asked.addresses.machine_socket(machine.host, what)
    return _answer(ticket, direct, asked.addresses.relayed(asked.host, what), machine)


def to_preview(record: Record, lab: labs.Lab, opening: Opening, ticket: Sealed) -> TicketAnswer:
    """A port of the lab, on an origin of its own."""
    asked, rented = call(), _machine(record)
    machine, port = opening.machine, opening.port
    assert machine is not None
    assert port is not None
    name = preview_name(port, record.sandbox.id, machine)
    ours = asked.addresses.preview(asked.host, name, ticket.text)
    if rented is None:
        return _answer(ticket, ours)
    if rented.name is not None:
        direct = asked.addresses.named_preview(rented.name, name, ticket.text)
    else:
        shown = previews.ports_of_address(next(m for m in lab.machines if m.name == machine))
        direct = asked.addresses.machine_preview(rented.address, shown[port], ticket.text)
    return _answer(ticket, direct, ours, rented)


def _machine(record: Record) -> _Machine | None:
    """The sandbox's rented machine; None: it runs behind our own address."""
    sandbox, engine = record.sandbox, call().engine
    provider = engine.world.providers.get(sandbox.terms.provider)
    if provider is None or not provider.rented or not sandbox.current:
        return None
    found = sandbox.current[0]
    if found.address is None:
        return None
    name = None
    if engine.names is not None:
        name = engine.machines.host(sandbox.id, found.label)
    return _Machine(found.address, name)


def _answer(
    ticket: Sealed, url: str, relay: str | None = None, machine: _Machine | None = None
) -> TicketAnswer:
    addresses = call().addresses
    if relay is None or addresses.relay == "never":
        return TicketAnswer(ticket=ticket.text, expires_at=ticket.expires_at, url=url)
    # A page that may go to names only is not sent to an address.
    nameless = addresses.only_names and machine is not None and machine.name is None
    if addresses.relay == "always" or nameless:
        url = relay
    return TicketAnswer(ticket=ticket.text, expires_at=ticket.expires_at, url=url, relay=relay)
